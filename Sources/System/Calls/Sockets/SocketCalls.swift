import CNexus
import Glibc

/// Sockets; every one non-blocking and close-on-exec.
public protocol SocketCalls {
    /// socket(2).
    func makeSocket(_ family: SocketFamily, _ kind: SocketKind) throws(Errno) -> OwnedFD
    /// socketpair(2), AF_UNIX; `blocking` names the ends that block (the child's).
    func makeSocketPair(_ kind: SocketKind, blocking: Ends) throws(Errno) -> SocketPair
    /// bind(2). ENAMETOOLONG for a socket path above 107 bytes.
    func bind(_ socket: borrowing OwnedFD, to address: SocketAddress) throws(Errno)
    /// listen(2).
    func listen(_ socket: borrowing OwnedFD, backlog: Int32) throws(Errno)
    /// accept4(2); EAGAIN when nobody waits.
    func accept(_ socket: borrowing OwnedFD) throws(Errno) -> OwnedFD
    /// connect(2); EINPROGRESS: wait until it is writable, then ask `pendingError`. Not repeated on EINTR.
    func connect(_ socket: borrowing OwnedFD, to address: SocketAddress) throws(Errno)
    /// SO_ERROR: why the connect failed; nil when it did not.
    func pendingError(_ socket: borrowing OwnedFD) throws(Errno) -> Errno?
    /// The port a TCP socket is bound to.
    func boundPort(_ socket: borrowing OwnedFD) throws(Errno) -> UInt16
    /// poll(2) without waiting: whether either side has shut the socket down, or who listened does so no more.
    func isHungUp(_ socket: borrowing OwnedFD) throws(Errno) -> Bool
    /// shutdown(2) of the sending side.
    func shutdownSending(_ socket: borrowing OwnedFD) throws(Errno)
    /// shutdown(2) of the receiving side: of a unix stream nobody can send to it any more.
    func shutdownReceiving(_ socket: borrowing OwnedFD) throws(Errno)
    /// SO_PEERCRED: who connected, as it was at that moment.
    func peerCredentials(_ socket: borrowing OwnedFD) throws(Errno) -> Credentials
    /// SO_PEERGROUPS: the supplementary groups of who connected; ERANGE above 1,024.
    func peerGroups(_ socket: borrowing OwnedFD) throws(Errno) -> [UInt32]
    /// SO_PASSCRED: each message comes with its sender's credentials.
    func passCredentials(_ socket: borrowing OwnedFD) throws(Errno)
    /// SO_PASSRIGHTS off: nobody can send descriptors to it, nor to what is accepted from it. ENOPROTOOPT before Linux 6.16.
    func refuseDescriptors(_ socket: borrowing OwnedFD) throws(Errno)
    /// SO_SNDBUF, bytes.
    func setSendBuffer(_ socket: borrowing OwnedFD, to bytes: Int32) throws(Errno)
    /// What a socket that others are to accept from needs before bind(2): SO_REUSEADDR (ip(7)), so that connections of
    /// an earlier life do not keep the port; IPV6_V6ONLY, so that `[::]` is IPv6 alone; and reads that wait, as most
    /// programs expect of an inherited socket (the flag is shared by all who have it).
    func prepareListening(_ socket: borrowing OwnedFD) throws(Errno)
}

/// AF_*.
public enum SocketFamily: Hashable, Sendable {
    case unix, inet, inet6
}

/// SOCK_*.
public enum SocketKind: Hashable, Sendable {
    case stream, seqpacket, datagram

    var number: Int32 {
        switch self {
        case .stream: Int32(SOCK_STREAM.rawValue)
        case .seqpacket: Int32(SOCK_SEQPACKET.rawValue)
        case .datagram: Int32(SOCK_DGRAM.rawValue)
        }
    }
}

/// Who is at the other end, as the kernel vouches.
public struct Credentials: Hashable, Sendable {
    /// Its pid at that moment; for showing, never for signalling.
    public let process: ProcessID
    /// Its uid.
    public let user: UInt32
    /// Its primary gid.
    public let group: UInt32

    /// All of it.
    public init(process: ProcessID, user: UInt32, group: UInt32) {
        self.process = process
        self.user = user
        self.group = group
    }
}

/// Two connected sockets.
@frozen
public struct SocketPair: ~Copyable, Sendable {
    /// One end.
    public var first: OwnedFD
    /// The other.
    public var second: OwnedFD

    /// Both.
    public init(first: consuming OwnedFD, second: consuming OwnedFD) {
        self.first = first
        self.second = second
    }
}

// Each call is described at its requirement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension LiveKernel {
    public func makeSocket(_ family: SocketFamily, _ kind: SocketKind) throws(Errno) -> OwnedFD {
        let number =
            switch family {
            case .unix: AF_UNIX
            case .inet: AF_INET
            case .inet6: AF_INET6
            }
        return try owned(nexus_socket(number, kind.number))
    }

    public func makeSocketPair(_ kind: SocketKind, blocking: Ends) throws(Errno) -> SocketPair {
        var ends: (Int32, Int32) = (-1, -1)
        let result = withUnsafeMutableBytes(of: &ends) {
            nexus_socketpair(
                kind.number, $0.baseAddress?.assumingMemoryBound(to: Int32.self),
                blocking.contains(.first) ? 1 : 0, blocking.contains(.second) ? 1 : 0)
        }
        _ = try checked(result)
        return SocketPair(first: OwnedFD(owning: ends.0), second: OwnedFD(owning: ends.1))
    }

    public func bind(_ socket: borrowing OwnedFD, to address: SocketAddress) throws(Errno) {
        var address = try address.native()
        _ = try checked(nexus_bind(socket.raw, &address))
    }

    public func listen(_ socket: borrowing OwnedFD, backlog: Int32) throws(Errno) {
        _ = try checked(nexus_listen(socket.raw, backlog))
    }

    public func accept(_ socket: borrowing OwnedFD) throws(Errno) -> OwnedFD {
        while true {
            let result = nexus_accept(socket.raw)
            if result != -EINTR { return try owned(result) }
        }
    }

    public func connect(_ socket: borrowing OwnedFD, to address: SocketAddress) throws(Errno) {
        var address = try address.native()
        _ = try checked(nexus_connect(socket.raw, &address))
    }

    public func pendingError(_ socket: borrowing OwnedFD) throws(Errno) -> Errno? {
        let error = try checked(nexus_pending_error(socket.raw))
        return error == 0 ? nil : Errno(rawValue: error)
    }

    public func boundPort(_ socket: borrowing OwnedFD) throws(Errno) -> UInt16 {
        UInt16(truncatingIfNeeded: try checked(nexus_bound_port(socket.raw)))
    }

    public func isHungUp(_ socket: borrowing OwnedFD) throws(Errno) -> Bool {
        // POLLRDHUP; glibc has it behind _GNU_SOURCE alone.
        var request = pollfd(fd: socket.raw, events: 0x2000, revents: 0)
        _ = try retrying { poll(&request, 1, 0) }
        return request.revents & (Int16(POLLHUP) | 0x2000) != 0
    }

    public func shutdownSending(_ socket: borrowing OwnedFD) throws(Errno) {
        if shutdown(socket.raw, Int32(SHUT_WR)) < 0 { throw Errno.current }
    }

    public func shutdownReceiving(_ socket: borrowing OwnedFD) throws(Errno) {
        if shutdown(socket.raw, Int32(SHUT_RD)) < 0 { throw Errno.current }
    }

    public func peerCredentials(_ socket: borrowing OwnedFD) throws(Errno) -> Credentials {
        var peer = nexus_credentials()
        _ = try checked(nexus_peer_credentials(socket.raw, &peer))
        return Credentials(peer)
    }

    public func peerGroups(_ socket: borrowing OwnedFD) throws(Errno) -> [UInt32] {
        var groups = [UInt32](repeating: 0, count: 1024)
        let count = try checked(nexus_peer_groups(socket.raw, &groups, groups.count))
        return Array(groups[..<Int(count)])
    }

    public func passCredentials(_ socket: borrowing OwnedFD) throws(Errno) {
        _ = try checked(nexus_pass_credentials(socket.raw))
    }

    public func refuseDescriptors(_ socket: borrowing OwnedFD) throws(Errno) {
        _ = try checked(nexus_refuse_descriptors(socket.raw))
    }

    public func setSendBuffer(_ socket: borrowing OwnedFD, to bytes: Int32) throws(Errno) {
        _ = try checked(nexus_set_send_buffer(socket.raw, bytes))
    }
}

// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension LiveKernel {
    public func prepareListening(_ socket: borrowing OwnedFD) throws(Errno) {
        _ = try checked(nexus_prepare_listening(socket.raw))
    }
}

extension Credentials {
    init(_ native: nexus_credentials) {
        self.init(process: ProcessID(rawValue: native.pid), user: native.uid, group: native.gid)
    }
}
