import Foundation
import Testing

@testable import WorkerKit

/// Who waits for a worker's word hears it as long as the worker comes round.
@Suite(.timeLimit(.minutes(1))) struct WatchdogTests {
    /// nexusd's end: a socket at an abstract name.
    private static func listener(_ name: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: [0] + name.utf8) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.utf8.count)
        let isBound = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) == 0 }
        }
        try #require(isBound)
        return descriptor
    }

    private static func hear(_ descriptor: Int32, _ flags: Int32 = 0) -> String? {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = recv(descriptor, &bytes, bytes.count, flags)
        return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    @Test func workerThatComesRound_isHeard_andOneThatHangsIsNot() async throws {
        let name = "nexus-watchdog-\(UUID().uuidString)"
        let descriptor = try Self.listener(name)
        defer { close(descriptor) }
        let environment = ["NOTIFY_SOCKET": "@" + name, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": "\(getpid())"]
        let feeding = Task { await Watchdog.feed(environment: environment) {} }
        for _ in 0..<3 { #expect(await Task.detached { Self.hear(descriptor) }.value == "WATCHDOG=1") }
        feeding.cancel()
        await feeding.value
        while Self.hear(descriptor, Int32(MSG_DONTWAIT)) != nil {}

        let (hangs, end) = AsyncStream<Void>.makeStream()
        let (begun, begin) = AsyncStream<Void>.makeStream()
        let hung = Task {
            await Watchdog.feed(environment: environment) {
                begin.finish()
                for await _ in hangs {}
            }
        }
        for await _ in begun {}
        #expect(Self.hear(descriptor, Int32(MSG_DONTWAIT)) == nil)
        hung.cancel()
        end.finish()
        await hung.value
    }

    /// It is another process's, or there is none: nothing is waited for.
    @Test func withoutAWatchdog_nothingIsDone() async {
        for environment in [
            [:], ["WATCHDOG_USEC": "20000"], ["NOTIFY_SOCKET": "@x"], ["NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "0"],
            ["NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"],
        ] {
            await Watchdog.feed(environment: environment) { Issue.record("nobody waits for it") }
        }
    }
}
