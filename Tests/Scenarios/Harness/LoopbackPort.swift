import Foundation

/// Ports of 127.0.0.1.
enum LoopbackPort {
    /// connect(2) failed.
    struct Refusal: Error { let number: Int32 }

    /// One that nobody has.
    static func free() throws -> UInt16 {
        let (fd, port) = try bound()
        close(fd)
        return port
    }

    /// A socket on a port of its own that nobody listens on yet.
    static func bound() throws -> (fd: Int32, port: UInt16) {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, length) == 0 && getsockname(fd, $0, &length) == 0
            }
        }
        guard isBound else { throw Trouble("no port can be had: errno \(errno)") }
        return (fd, UInt16(bigEndian: address.sin_port))
    }

    /// Connects, reads to the end and returns what was said, also when a reset is the end of it.
    static func call(_ port: UInt16) -> Result<String, Refusal> {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(fd) }
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = loopback(port)
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { return .failure(Refusal(number: errno)) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 256)
        while case let count = recv(fd, &buffer, buffer.count, 0), count > 0 { text += buffer.prefix(count) }
        return .success(String(decoding: text, as: UTF8.self))
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
