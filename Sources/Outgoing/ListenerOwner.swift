import Glibc

/// Who is at the other end of a loopback connection: asked of the kernel by sock_diag(7), one socket a question; where
/// that is not to be had (no such module, no netlink in a sandbox), read from /proc/net/tcp.
public enum ListenerOwner {
    /// The uid of the process that took this connection, or, as long as none did, of the one that listens; nil: the
    /// kernel does not say.
    ///
    /// The connection itself is asked for first: a listener may change hands between connecting and looking, a
    /// connection that was taken does not. One that waits in the queue of a listener is lost with it.
    public static func uid(port: UInt16, localPort: UInt16) -> UInt32? {
        let taken = ask(port: port, localPort: localPort)
        if let taken, taken.inode != 0 { return taken.uid }
        guard taken != nil, let listener = ask(port: port, localPort: nil) else {
            return table(port: port, localPort: localPort)
        }
        return listener.uid
    }

    /// The same from /proc/net/tcp and tcp6 (proc(5)): local and remote address, state, …, uid, timeout, inode.
    public static func table(port: UInt16, localPort: UInt16) -> UInt32? {
        var listener: UInt32?
        for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
            guard let file = fopen(path, "re") else { continue }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 512)
            while fgets(&line, Int32(line.count), file) != nil {
                let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                let fields = text.split(separator: " ")
                guard fields.count > 9, Self.port(fields[1]) == port, let uid = UInt32(fields[7]) else { continue }
                if Self.port(fields[2]) == localPort, fields[9] != "0" { return uid }
                if fields[3] == "0A" { listener = listener ?? uid }
            }
        }
        return listener
    }

    private static func port(_ address: Substring) -> UInt16? {
        address.split(separator: ":").last.flatMap { UInt16($0, radix: 16) }
    }

    private struct Socket {
        var uid: UInt32
        var inode: UInt32
    }

    // linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h: part of the kernel's promised interface, and not in Glibc's
    // module. All numbers are the machine's own but for ports and addresses.
    private static let netlinkSockDiag: Int32 = 4
    private static let sockDiagByFamily: UInt16 = 20
    private static let request: UInt16 = 1
    private static let headerBytes = 16
    private static let requestBytes = 72
    /// Of `struct inet_diag_msg`, which follows the header.
    private static let answerBytes = 72
    private static let answerUIDOffset = headerBytes + 64

    private static func ask(port: UInt16, localPort: UInt16?) -> Socket? {
        let descriptor = socket(
            AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), netlinkSockDiag)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        // The kernel answers before send returns; the limit is for a kernel that does not.
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let question = question(port: port, localPort: localPort)
        guard send(descriptor, question, question.count, 0) == question.count else { return nil }
        var answer = [UInt8](repeating: 0, count: 512)
        let count = recv(descriptor, &answer, answer.count, 0)
        guard count >= headerBytes + answerBytes else { return nil }
        return answer.withUnsafeBytes { bytes in
            guard bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self) == sockDiagByFamily else { return nil }
            return Socket(
                uid: bytes.loadUnaligned(fromByteOffset: answerUIDOffset, as: UInt32.self),
                inode: bytes.loadUnaligned(fromByteOffset: answerUIDOffset + 4, as: UInt32.self))
        }
    }

    /// `struct nlmsghdr` and `struct inet_diag_req_v2`: the socket on our port of 127.0.0.1, from the server's side; without
    /// a port of ours the one that listens.
    private static func question(port: UInt16, localPort: UInt16?) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: requestBytes)
        bytes.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: UInt32(requestBytes), toByteOffset: 0, as: UInt32.self)
            bytes.storeBytes(of: sockDiagByFamily, toByteOffset: 4, as: UInt16.self)
            bytes.storeBytes(of: request, toByteOffset: 6, as: UInt16.self)
            bytes[headerBytes] = UInt8(AF_INET)
            bytes[headerBytes + 1] = UInt8(IPPROTO_TCP)
            // Any state.
            bytes.storeBytes(of: UInt32.max, toByteOffset: headerBytes + 4, as: UInt32.self)
            let id = headerBytes + 8
            bytes.storeBytes(of: port.bigEndian, toByteOffset: id, as: UInt16.self)
            let loopback = UInt32(0x7F00_0001).bigEndian
            bytes.storeBytes(of: loopback, toByteOffset: id + 4, as: UInt32.self)
            if let localPort {
                bytes.storeBytes(of: localPort.bigEndian, toByteOffset: id + 2, as: UInt16.self)
                bytes.storeBytes(of: loopback, toByteOffset: id + 20, as: UInt32.self)
            }
            // No cookie (INET_DIAG_NOCOOKIE): whichever socket it is.
            bytes.storeBytes(of: UInt64.max, toByteOffset: id + 40, as: UInt64.self)
        }
        return bytes
    }
}
