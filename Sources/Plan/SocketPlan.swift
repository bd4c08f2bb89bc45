/// A listening socket that nexusd opens before the first run and keeps while the child restarts, so that no connection is
/// refused meanwhile: it waits in the kernel's queue for the next run.
public struct SocketPlan: Hashable, Sendable {
    /// Its name in $LISTEN_FDNAMES: 1 to 32 of [a-z0-9-].
    public var name: String
    /// Where it listens.
    public var address: Address
    /// Stream or datagram.
    public var kind: Kind
    /// listen(2)'s backlog, for streams.
    public var backlog: UInt16
    /// Mode, owner and group of a unix socket's file.
    public var file: File?

    /// Sockets of one child.
    public static let limit = 64
    /// Longest path of a unix socket, bytes (unix(7): sun_path has 108, one is a NUL).
    public static let pathLimit = 107

    /// Where a socket listens.
    public enum Address: Hashable, Sendable {
        /// Four bytes and a port of 1 to 65535.
        case inet([UInt8], port: UInt16)
        /// Sixteen bytes and a port of 1 to 65535.
        case inet6([UInt8], port: UInt16)
        /// An absolute path.
        case unix(String)
    }

    /// SOCK_STREAM or SOCK_DGRAM.
    public enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        case stream, datagram
    }

    /// Whom a unix socket's file lets in.
    public struct File: Hashable, Sendable {
        /// Permission bits; writing is what connecting needs.
        public var mode: UInt16
        /// Owner.
        public var user: UInt32
        /// Group.
        public var group: UInt32

        /// All of it.
        public init(mode: UInt16, user: UInt32, group: UInt32) {
            self.mode = mode
            self.user = user
            self.group = group
        }
    }

    /// A stream with the longest backlog Linux takes by default (net.core.somaxconn).
    public init(name: String, address: Address, kind: Kind = .stream, backlog: UInt16 = 4096, file: File? = nil) {
        self.name = name
        self.address = address
        self.kind = kind
        self.backlog = backlog
        self.file = file
    }

    /// What the kernel would take.
    var isValid: Bool {
        guard isFileName(name), name.utf8.count <= 32, !name.utf8.contains(UInt8(ascii: ":")), backlog > 0 else {
            return false
        }
        switch address {
        case .inet(let host, let port): return host.count == 4 && port > 0 && file == nil
        case .inet6(let host, let port): return host.count == 16 && port > 0 && file == nil
        case .unix(let path):
            guard let file, path.utf8.first == UInt8(ascii: "/") else { return false }
            return path.utf8.count <= SocketPlan.pathLimit && file.mode <= 0o777
        }
    }
}
