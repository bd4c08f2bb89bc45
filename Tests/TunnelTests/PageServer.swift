import Foundation
import Synchronization
import Testing

/// Answers HTTP requests, one after the other, as a closure says: on a unix socket, or on a port of loopback.
final class PageServer: Sendable {
    /// The socket's path, or `127.0.0.1:PORT`.
    let place: String
    private let descriptor: Int32
    private let path: String?
    private let asked = Mutex<[String]>([])

    /// The heads of all requests so far.
    var heads: [String] { asked.withLock { $0 } }

    /// - Parameter answer: of a request's head, and how many came before it: the whole answer.
    init(isSocket: Bool, _ answer: @escaping @Sendable (_ head: String, _ before: Int) -> String) throws {
        let own = isSocket ? "/tmp/nexus-page-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock" : nil
        (descriptor, place) = try own.map { (try Self.bound(at: $0), $0) } ?? boundOnLoopback(SOCK_STREAM)
        path = own
        try #require(listen(descriptor, 8) == 0)
        let descriptor = descriptor
        // Not `self`: it ends the thread.
        let note: @Sendable (String) -> Int = { [weak self] head in
            self?.asked.withLock { heads in
                heads.append(head)
                return heads.count - 1
            } ?? 0
        }
        Thread {
            while true {
                let visitor = accept(descriptor, nil, nil)
                guard visitor >= 0 else { break }
                var bytes = [UInt8](repeating: 0, count: 8192)
                let count = recv(visitor, &bytes, bytes.count, 0)
                let head = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
                let text = Array(answer(head, note(head)).utf8)
                _ = send(visitor, text, text.count, Int32(MSG_NOSIGNAL))
                close(visitor)
            }
            close(descriptor)
        }.start()
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        if let path { unlink(path) }
    }

    /// An answer's bytes.
    static func http(_ status: String, _ headers: [String] = [], body: String = "{}") -> String {
        (["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)", "Connection: close"] + headers)
            .joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    private static func bound(at path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let isBound = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        try #require(isBound)
        return descriptor
    }
}
