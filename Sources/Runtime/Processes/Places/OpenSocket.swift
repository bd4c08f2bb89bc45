import Plan
import System

/// One listening socket, and its file if it has one. Nobody listens any more when this object is gone, unless a run still
/// has the descriptor; the file goes with it if it is still the one that was made.
public final class OpenSocket {
    /// What it was opened by.
    public let plan: SocketPlan
    let fd: OwnedFD
    private let kernel: any Kernel
    /// What bind(2) made at the path, to know it again.
    private let file: FileStatus?

    init(_ kernel: any Kernel, _ plan: SocketPlan) throws(Errno) {
        let address = SocketAddress(plan.address)
        let fd = try kernel.makeSocket(address.family, plan.kind == .stream ? .stream : .datagram)
        try kernel.prepareListening(fd)
        try Self.bind(kernel, fd, to: address, plan.kind)
        do {
            var file: FileStatus?
            if case .unix(let path) = plan.address {
                file = try kernel.status(path, followingLinks: false)
                try Self.admit(kernel, plan.file, at: path)
            }
            if plan.kind == .stream { try kernel.listen(fd, backlog: Int32(plan.backlog)) }
            self.file = file
        } catch {
            if case .unix(let path) = plan.address { try? kernel.removeFile(path) }
            throw error
        }
        self.kernel = kernel
        self.plan = plan
        self.fd = fd
    }

    /// One that an earlier nexusd opened by this plan.
    init(_ kernel: any Kernel, _ plan: SocketPlan, taking fd: consuming OwnedFD) {
        self.kernel = kernel
        self.plan = plan
        self.fd = fd
        if case .unix(let path) = plan.address {
            file = try? kernel.status(path, followingLinks: false)
        } else {
            file = nil
        }
    }

    /// By which it is told from others.
    var inode: UInt64? { (try? kernel.status(fd))?.inode }

    deinit {
        guard case .unix(let path) = plan.address, let file, let now = try? kernel.status(path, followingLinks: false),
            now.device == file.device, now.inode == file.inode
        else { return }
        try? kernel.removeFile(path)
    }

    /// To be called right before this object goes: who was not accepted on a unix socket may have sent descriptors, which its
    /// last close closes too.
    func leave(by disposal: Disposal) { if case .unix = plan.address { disposal.close(fd) } }

    /// False when a run has shut it down (as some servers do to wake a thread out of accept(2)): then it is dead for all
    /// who have it. What a run did to its flags, which all share too, is taken back.
    func isUsable() -> Bool {
        guard let isHungUp = try? kernel.isHungUp(fd), !isHungUp else { return false }
        return (try? kernel.setNonBlocking(fd, false)) != nil
    }

    /// A path that an earlier nexusd left is taken over: a socket of ours on which nobody listens any more.
    private static func bind(
        _ kernel: any Kernel, _ fd: borrowing OwnedFD, to address: SocketAddress, _ kind: SocketPlan.Kind
    ) throws(Errno) {
        do {
            try kernel.bind(fd, to: address)
        } catch  where error == .addressInUse {
            guard case .path(let path) = address, isLeftOver(kernel, path, kind) else { throw error }
            try kernel.removeFile(path)
            try kernel.bind(fd, to: address)
        }
    }

    /// `isShutDown`: so is one of datagrams that takes none any more (EPIPE), which is asked by an empty one.
    static func isLeftOver(
        _ kernel: any Kernel, _ path: String, _ kind: SocketPlan.Kind, isShutDown: Bool = false
    ) -> Bool {
        guard let status = try? kernel.status(path, followingLinks: false), status.kind == .socket,
            let probe = try? kernel.makeSocket(.unix, kind == .stream ? .stream : .datagram)
        else { return false }
        /// ECONNREFUSED: there is the file, and nobody behind it (unix(7)).
        func answer() -> Errno? {
            do throws(Errno) {
                try kernel.connect(probe, to: .path(path))
                if isShutDown {
                    _ = try kernel.send(probe, UnsafeRawBufferPointer(start: nil, count: 0), passing: [], to: nil)
                }
            } catch {
                return error
            }
            return nil
        }
        let first = answer()
        func isNobodys(_ error: Errno?) -> Bool { error == .connectionRefused || isShutDown && error == .brokenPipe }
        guard first == .noAccess else { return isNobodys(first) }
        // A child's own, and a root without CAP_DAC_OVERRIDE: whoever owns it is let in, to be told.
        guard (try? kernel.changeOwner(path, user: kernel.userID(), group: kernel.groupID())) != nil else {
            return false
        }
        let isLeftOver = isNobodys(answer())
        if !isLeftOver { try? kernel.changeOwner(path, user: status.user, group: status.group) }
        return isLeftOver
    }

    /// nexus-config has seen to it that nobody else can put a file here.
    private static func admit(_ kernel: any Kernel, _ file: SocketPlan.File?, at path: String) throws(Errno) {
        guard let file else { return }
        // The mode first: without CAP_FOWNER nobody changes that of a file which is another's.
        try kernel.changeMode(path, to: file.mode)
        if file.user != kernel.userID() || file.group != kernel.groupID() {
            try kernel.changeOwner(path, user: file.user, group: file.group)
        }
    }
}

extension SocketAddress {
    /// Where a planned socket listens.
    init(_ address: SocketPlan.Address) {
        switch address {
        case .inet(let host, let port): self = .inet(host, port: port)
        case .inet6(let host, let port): self = .inet6(host, port: port)
        case .unix(let path): self = .path(path)
        }
    }
}
