public import Plan
public import System

/// The listening sockets of one child. They outlive its runs: who connects while none is there waits in the kernel's
/// queue for the next one. A reload that gives a socket to another child hands over the same one.
public final class ListeningSockets {
    /// What they are opened by.
    public let plans: [SocketPlan]

    private let kernel: any Kernel
    // By plan; nil: not open.
    private var open: [OpenSocket?]

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
    public convenience init(_ kernel: any Kernel, _ plans: [SocketPlan]) throws(Failure) {
        var none: [OpenSocket] = []
        self.init(kernel, plans, taking: &none)
        try complete()
    }

    /// Takes those out of `spare` that are open already, and opens no other: see `complete`.
    init(_ kernel: any Kernel, _ plans: [SocketPlan], taking spare: inout [OpenSocket]) {
        self.kernel = kernel
        self.plans = plans
        open = plans.map { plan in
            spare.firstIndex { $0.plan.isSameSocket(as: plan) }.map { spare.remove(at: $0) }
        }
    }

    /// Opens what is not open, and anew what a run has made useless. When one cannot be had the others stay: whoever has connected
    /// waits for the next try.
    func complete(by disposal: Disposal? = nil) throws(Failure) {
        for (index, plan) in plans.enumerated() {
            if open[index]?.isUsable() == true { continue }
            // The address has to be free before it can be taken again.
            if let disposal { open[index]?.leave(by: disposal) }
            open[index] = nil
            do {
                open[index] = try OpenSocket(kernel, plan)
            } catch {
                throw Failure(
                    name: plan.name, address: SocketAddress(plan.address), error: error,
                    remedy: remedy(error, plan.address))
            }
        }
    }

    /// Raw numbers in the order of the plan, valid while this object is there and complete.
    public var descriptors: [Int32] { open.compactMap { $0?.fd.raw } }

    /// In the order of the plan: number and inode of each; inode 0 for one that is not open.
    var kept: [(descriptor: Int32, inode: UInt64)] {
        open.map { socket in socket.map { ($0.fd.raw, $0.inode ?? 0) } ?? (-1, 0) }
    }

    /// Gives its sockets away.
    func release() -> [OpenSocket] {
        defer { close() }
        return open.compactMap { $0 }
    }

    /// Nobody listens any more. Files go if they are still the ones that were made here. The last close is left to
    /// `disposal`.
    public func close(by disposal: Disposal? = nil) {
        if let disposal { for socket in open { socket?.leave(by: disposal) } }
        open = plans.map { _ in nil }
    }

    private func remedy(_ error: Errno, _ address: SocketPlan.Address) -> String {
        switch error {
        case .addressInUse:
            if case .unix(let path) = address,
                let status = try? kernel.status(path, followingLinks: false), status.kind != .socket
            {
                return "there is a file of that name which is no socket: remove it, or take another path"
            }
            return "end what listens there, or take another address"
        case .noAccess, .notPermitted:
            return "nexusd may not do that; take another address or path, or give it the right"
        case .noEntry, .notDirectory: return "make the directory, or take another path"
        case .nameTooLong: return "take a shorter path"
        case .tooManyOpen, .tooManyOpenInSystem: return "raise the limit of open files"
        case _: return "take another address"
        }
    }
}

extension SocketPlan {
    /// One that is open by the other plan serves this one: whatever it is called.
    func isSameSocket(as other: SocketPlan) -> Bool {
        hasAddress(of: other) && backlog == other.backlog && file == other.file
    }

    /// They cannot both be open.
    func hasAddress(of other: SocketPlan) -> Bool { address == other.address && kind == other.kind }
}
