import Foundation
import Glibc
import Testing

/// A TCP connection that sends what it is told to, however wrong it is.
final class RawConnection {
    private let descriptor: Int32

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// From 127.0.0.`host`: all of 127.0.0.0/8 is this machine's.
    init(port: Int, receiveBuffer: Int32? = nil, host: UInt8 = 1) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        limitWaiting()
        var own = sockaddr_in()
        own.sin_family = sa_family_t(AF_INET)
        own.sin_addr.s_addr = (0x7F00_0000 | UInt32(host)).bigEndian
        guard
            withUnsafePointer(
                to: &own,
                {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                }) == 0
        else { throw Failure(description: "bind: \(errno)") }
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Failure(description: "connect: \(errno)") }
    }

    /// To a unix socket.
    init(path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        limitWaiting()
        guard UnixAddress.use(path, { Glibc.connect(descriptor, $0, $1) }) == 0 else {
            throw Failure(description: "connect: \(errno)")
        }
    }

    /// Over a socket that is connected.
    init(taking descriptor: Int32) {
        self.descriptor = descriptor
        limitWaiting()
    }

    private func limitWaiting() {
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    func send(_ text: String) throws {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(description: "send: \(errno)") }
            bytes = bytes.dropFirst(count)
        }
    }

    /// What comes next; empty at the end of the connection, also when it was reset.
    func receive() throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count < 0, errno == EAGAIN { throw Failure(description: "nothing came for 20 s") }
        return Array(buffer.prefix(max(0, count)))
    }

    /// Everything until the end.
    func rest() throws -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let more = try receive()
            if more.isEmpty { return all }
            all += more
        }
    }

    /// Everything up to where those words have come.
    func receive(until words: String) throws -> String {
        var text = ""
        while !text.contains(words) {
            let more = try receive()
            guard !more.isEmpty else { throw Failure(description: "the connection ended after: \(text)") }
            text += String(decoding: more, as: UTF8.self)
        }
        return text
    }

    func answer() throws -> RawAnswer { RawAnswer(try rest()) }
}

/// An answer as it came.
struct RawAnswer {
    let text: String

    init(_ bytes: [UInt8]) { text = String(decoding: bytes, as: UTF8.self) }

    /// 0: none.
    var status: Int { text.hasPrefix("HTTP/1.") ? Int(text.dropFirst(9).prefix(3)) ?? 0 : 0 }

    func header(_ name: String) -> String? {
        let head = text.components(separatedBy: "\r\n\r\n")[0]
        return head.components(separatedBy: "\r\n").first { $0.lowercased().hasPrefix(name + ":") }
            .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
    }

    /// The JSON objects in it, whatever their chunks were.
    var objects: [[String: Any]] {
        text.components(separatedBy: "\r\n").flatMap { $0.split(separator: "\n") }.compactMap { line in
            guard line.hasPrefix("{") else { return nil }
            return (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
        }
    }

    var types: [String] { objects.compactMap { $0["type"] as? String } }
}

/// The address of a unix socket as the kernel takes it.
enum UnixAddress {
    static func use(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
