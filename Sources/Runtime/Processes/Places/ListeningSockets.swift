public import Plan
public import System

/// The listening sockets of one child. They outlive its runs: who connects while none is there waits in the kernel's
/// queue for the next one.
public final class ListeningSockets {
    /// What they were opened by.
    public let plans: [SocketPlan]

    private let kernel: any Kernel
    private var open: [Open] = []

    /// One socket, and its file if it has one.
    private final class Open {
        let fd: OwnedFD
        let path: String?
        /// What bind(2) made there, to know it again.
        let file: FileStatus?

        init(_ fd: consuming OwnedFD, path: String?, file: FileStatus?) {
            self.fd = fd
            self.path = path
            self.file = file
        }
    }

    /// Which socket could not be opened, and why.
    public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// Its name.
        public let name: String
        /// Where it was to listen.
        public let address: SocketAddress
        /// Why not.
        public let error: Errno
        /// What to do.
        public let remedy: String

        /// `socket 'web' cannot listen on 127.0.0.1:80: …; end what listens there, or take another address`.
        public var description: String { "socket '\(name)' cannot listen on \(address): \(error); \(remedy)" }
    }

    /// Opens all of them, or none.
    public init(_ kernel: any Kernel, _ plans: [SocketPlan]) throws(Failure) {
        self.kernel = kernel
        self.plans = plans
        for plan in plans {
            do {
                open.append(try listen(plan))
            } catch {
                close()
                throw Failure(
                    name: plan.name, address: SocketAddress(plan.address), error: error, remedy: Self.remedy(error))
            }
        }
    }

    /// Raw numbers in the order of the plan, valid while this object is there and not closed.
    public var descriptors: [Int32] { open.map { $0.fd.raw } }

    /// Nobody listens any more. Files go if they are still the ones that were made here.
    public func close() {
        for socket in open {
            guard let path = socket.path, let file = socket.file,
                let now = try? kernel.status(path, followingLinks: false), now.device == file.device,
                now.inode == file.inode
            else { continue }
            try? kernel.removeFile(path)
        }
        open = []
    }

    deinit { close() }

    private func listen(_ plan: SocketPlan) throws(Errno) -> Open {
        let address = SocketAddress(plan.address)
        let fd = try kernel.makeSocket(address.family, plan.kind == .stream ? .stream : .datagram)
        try kernel.prepareListening(fd)
        try bind(fd, to: address, plan.kind)
        guard case .unix(let path) = plan.address else {
            if plan.kind == .stream { try kernel.listen(fd, backlog: Int32(plan.backlog)) }
            return Open(fd, path: nil, file: nil)
        }
        do {
            let file = try kernel.status(path, followingLinks: false)
            try admit(plan.file, at: path)
            if plan.kind == .stream { try kernel.listen(fd, backlog: Int32(plan.backlog)) }
            return Open(fd, path: path, file: file)
        } catch {
            try? kernel.removeFile(path)
            throw error
        }
    }

    /// A path that an earlier nexusd left is taken over: a socket of ours on which nobody listens any more.
    private func bind(_ fd: borrowing OwnedFD, to address: SocketAddress, _ kind: SocketPlan.Kind) throws(Errno) {
        do {
            try kernel.bind(fd, to: address)
        } catch  where error == .addressInUse {
            guard case .path(let path) = address, isLeftOver(path, kind) else { throw error }
            try kernel.removeFile(path)
            try kernel.bind(fd, to: address)
        }
    }

    private func isLeftOver(_ path: String, _ kind: SocketPlan.Kind) -> Bool {
        guard let status = try? kernel.status(path, followingLinks: false), status.kind == .socket,
            let probe = try? kernel.makeSocket(.unix, kind == .stream ? .stream : .datagram)
        else { return false }
        do {
            try kernel.connect(probe, to: .path(path))
            return false
        } catch {
            return error == .connectionRefused
        }
    }

    /// nexus-config has seen to it that nobody else can put a file here.
    private func admit(_ file: SocketPlan.File?, at path: String) throws(Errno) {
        guard let file else { return }
        if file.user != kernel.userID() || file.group != kernel.groupID() {
            try kernel.changeOwner(path, user: file.user, group: file.group)
        }
        try kernel.changeMode(path, to: file.mode)
    }

    private static func remedy(_ error: Errno) -> String {
        switch error {
        case .addressInUse: "end what listens there, or take another address"
        case .noAccess, .notPermitted: "nexusd may not do that; take another address or path, or give it the right"
        case .noEntry, .notDirectory: "make the directory, or take another path"
        case .nameTooLong: "take a shorter path"
        case .tooManyOpen, .tooManyOpenInSystem: "raise the limit of open files"
        case _: "take another address"
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
