import Chance
import Dispatch
import Foundation
import Glibc
import Synchronization

/// Strangers who connect to a port again and again, from eight addresses at once, and leave in every way there is. A port
/// where nobody listens is tried on.
final class ConnectionStorm: Sendable {
    /// Connections that each thread holds; then the oldest is reset.
    private static let held = 64
    private static let threads = 4

    let port: UInt16
    private let isOver = Atomic(false)
    private let group = DispatchGroup()
    /// One for each connection that was made.
    private let made = DispatchSemaphore(value: 0)
    private let count = Atomic(0)

    /// `seed` decides who does what in which order.
    init(port: UInt16, seed: UInt64) {
        self.port = port
        for number in 0..<Self.threads {
            group.enter()
            Thread.detachNewThread { [self] in
                rage(SplitMix(seed: seed &+ UInt64(number)))
                group.leave()
            }
        }
    }

    /// How many connections were made.
    var connections: Int { count.load(ordering: .relaxed) }

    /// Returns when so many more were made; false: they were not within 30 s.
    func wait(for more: Int) -> Bool {
        while made.wait(timeout: .now()) == .success {}
        return (0..<more).allSatisfy { _ in made.wait(timeout: .now() + 30) == .success }
    }

    func end() {
        isOver.store(true, ordering: .relaxed)
        group.wait()
    }

    /// A port that was free. Not one of those which the kernel gives to clients: of so many tries one would be from the very
    /// port that it goes to, and be connected with itself where chat-bridge wants to listen.
    static func freePort() -> UInt16 {
        while true {
            let port = UInt16.random(in: 20_000..<32_000)
            let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            defer { close(probe) }
            if address(1, port, { bind(probe, $0, $1) }) == 0 { return port }
        }
    }

    private static func address(
        _ host: UInt32, _ port: UInt16, _ use: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = (0x7F00_0000 | host).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                use($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private func rage(_ random: SplitMix) {
        var random = random
        var held: [Int32] = []
        while !isOver.load(ordering: .relaxed) {
            let link = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            var limit = timeval(tv_sec: 0, tv_usec: 50_000)
            setsockopt(link, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            _ = Self.address(UInt32.random(in: 1...8, using: &random), 0) { bind(link, $0, $1) }
            guard Self.address(1, port, { connect(link, $0, $1) }) == 0 else {
                close(link)
                sched_yield()
                continue
            }
            count.add(1, ordering: .relaxed)
            made.signal()
            behave(link, Int.random(in: 0..<7, using: &random), &held)
            if held.count > Self.held { reset(held.removeFirst()) }
        }
        held.forEach(reset)
    }

    private func behave(_ link: Int32, _ manner: Int, _ held: inout [Int32]) {
        let whole = "GET / HTTP/1.1\r\nHost: localhost:\(port)\r\n\r\n"
        switch manner {
        case 0: close(link)
        case 1: reset(link)
        case 2: held.append(link)
        case 3:
            say("POST /api/chat HTTP/1.1\r\nHost: loc", link)
            held.append(link)
        case 4:
            say(whole, link)
            hear(link)
            reset(link)
        case 5:
            say(whole, link)
            shutdown(link, Int32(SHUT_WR))
            hear(link)
            held.append(link)
        case _:
            say(whole + whole, link)
            close(link)
        }
    }

    private func say(_ text: String, _ link: Int32) {
        _ = text.withCString { send(link, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
    }

    /// The beginning of an answer, where there is one.
    private func hear(_ link: Int32) {
        var buffer = [UInt8](repeating: 0, count: 512)
        _ = recv(link, &buffer, buffer.count, 0)
    }

    /// Ends it without the other side's leave (SO_LINGER of 0: socket(7)).
    private func reset(_ link: Int32) {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(link, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        close(link)
    }
}
