import Foundation
import Glibc
import Synchronization

/// A listener on the loopback interface; each connection gets a thread of its own.
final class Listener: Sendable {
    let port: UInt16
    private let descriptor: Int32
    private let open = Mutex(Connections())

    private struct Connections {
        var open: Set<Int32> = []
        /// New ones are broken at once.
        var isHeld = false
    }

    /// Signalled when nobody uses the descriptor any more.
    private let ended = DispatchSemaphore(value: 0)

    init(_ handle: @escaping @Sendable (Int32) -> Void) throws {
        signal(SIGPIPE, SIG_IGN)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.descriptor = descriptor
        var address = Self.address(port: 0)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0, listen(descriptor, 64) == 0 else { throw POSIXError(.EADDRINUSE) }
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        port = UInt16(bigEndian: address.sin_port)
        Thread { [self] in
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { break }
                let isTaken = open.withLock { connections in
                    if !connections.isHeld { connections.open.insert(connection) }
                    return !connections.isHeld
                }
                guard isTaken else {
                    close(connection)
                    continue
                }
                Thread { [self] in
                    handle(connection)
                    open.withLock { _ = $0.open.remove(connection) }
                    close(connection)
                }.start()
            }
            // By the thread that accepts on it: closed by another one its number may be a new socket's already, whose
            // connections this thread would take.
            close(descriptor)
            ended.signal()
        }.start()
    }

    /// Breaks every open connection.
    func cut() { open.withLock { for connection in $0.open { shutdown(connection, Int32(SHUT_RDWR)) } } }

    /// Breaks every open connection, and each new one until `release`.
    func hold() {
        open.withLock { $0.isHeld = true }
        cut()
    }

    /// Takes connections again.
    func release() { open.withLock { $0.isHeld = false } }

    /// No further connections: whoever tries is refused.
    func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        ended.wait()
        ended.signal()
        cut()
    }

    /// A port that nobody listens on.
    static func freePort() throws -> Int {
        let listener = try Listener { _ in }
        listener.stop()
        return Int(listener.port)
    }

    static func address(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}

extension Listener {
    /// Hands every connection on to another port, until it is cut.
    static func proxy(to port: UInt16) throws -> Listener {
        try Listener { near in
            let far = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = address(port: port)
            let connected = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(far, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            defer { close(far) }
            guard connected == 0 else { return }
            let back = DispatchSemaphore(value: 0)
            Thread {
                pump(from: far, to: near)
                back.signal()
            }.start()
            pump(from: near, to: far)
            back.wait()
        }
    }

    private static func pump(from source: Int32, to target: Int32) {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(source, &buffer, buffer.count)
            guard count > 0, write(target, buffer, count) == count else { break }
        }
        shutdown(source, Int32(SHUT_RDWR))
        shutdown(target, Int32(SHUT_RDWR))
    }

    /// A server that answers each path with what it is told, one request a connection.
    static func scripted(_ answer: @escaping @Sendable (_ path: String) -> Reply) throws -> Listener {
        try Listener { connection in
            var head: [UInt8] = []
            var byte: UInt8 = 0
            while !head.suffix(4).elementsEqual("\r\n\r\n".utf8), read(connection, &byte, 1) == 1 { head.append(byte) }
            let path = String(decoding: head, as: UTF8.self).split(separator: " ").dropFirst().first ?? ""
            let reply = answer(String(path.prefix { $0 != "?" }))
            let text =
                "HTTP/1.1 \(reply.status)\r\nContent-Type: \(reply.type)\r\nConnection: close\r\n"
                + (reply.staysOpen ? "" : "Content-Length: \(reply.body.utf8.count)\r\n") + "\r\n" + reply.body
            _ = Array(text.utf8).withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
            guard reply.staysOpen else { return }
            while let beat = reply.beat() {
                var entry = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
                guard poll(&entry, 1, 500) == 0 else { return }
                _ = Array(beat.utf8).withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
            }
            // Until the other side goes away, or this one is cut.
            while read(connection, &byte, 1) == 1 {}
        }
    }

    struct Reply: Sendable {
        var status = "200 OK"
        var type = "application/json"
        var body: String
        var staysOpen = false
        /// What an open one says next, half a second later; nil: nothing any more.
        var beat: @Sendable () -> String? = { nil }
    }
}
