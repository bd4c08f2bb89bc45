import Foundation
import Glibc
import Synchronization

/// An HTTP server on a port of its own of the loopback interface, or on a unix socket: keeps what it gets, answers what it
/// was told to.
final class Receiver: Sendable {
    struct Request: Sendable {
        var head: String
        var body: String

        func header(_ name: String) -> String? {
            head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
                .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
        }
    }

    let port: Int
    private let listener: Int32
    private let answers: Mutex<[String]>
    private let got = AsyncStream<Request>.makeStream()

    /// `answers` in order, the last one again and again; an empty one closes the connection without a word.
    convenience init(_ answers: [String] = ["HTTP/1.1 204 No Content\r\n\r\n"]) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, address, &length) == 0
            }
        }
        guard isBound else { throw POSIXError(.EADDRINUSE) }
        self.init(listener, answers, port: Int(UInt16(bigEndian: address.sin_port)))
    }

    /// On a unix socket of that path, which is the caller's to remove.
    convenience init(socketAt path: String, _ answers: [String]) throws {
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 && listen(listener, 16) == 0
            }
        }
        guard isBound else { throw POSIXError(.EADDRINUSE) }
        self.init(listener, answers, port: 0)
    }

    private init(_ listener: Int32, _ answers: [String], port: Int) {
        self.listener = listener
        self.answers = Mutex(answers)
        self.port = port
        Thread.detachNewThread { [self] in serve() }
    }

    deinit { close(listener) }

    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    /// What comes, in order.
    var requests: AsyncStream<Request> { got.stream }

    private func serve() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            answer(connection)
            close(connection)
        }
    }

    private func answer(_ connection: Int32) {
        var bytes: [UInt8] = []
        while true {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = read(connection, &buffer, buffer.count)
            guard count > 0 else { return }
            bytes += buffer[..<count]
            let text = String(decoding: bytes, as: UTF8.self)
            guard let end = text.range(of: "\r\n\r\n") else { continue }
            let request = Request(head: String(text[..<end.lowerBound]), body: String(text[end.upperBound...]))
            guard request.body.utf8.count >= Int(request.header("content-length") ?? "0") ?? 0 else { continue }
            got.continuation.yield(request)
            let answer = answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
            _ = answer.withCString { send(connection, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
            return
        }
    }
}
