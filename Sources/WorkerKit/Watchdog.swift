import Foundation
import Glibc

/// Tells nexusd that this worker goes on, where Supervisor.toml has a `watchdog` for it: a run that hangs is ended and replaced.
public enum Watchdog {
    /// Says so (sd_notify(3)) twice in each interval, each time after `look` came back, which goes where a hang would be. Ends at
    /// once when nobody waits for it, else when it is cancelled.
    public static func feed(
        environment: [String: String] = ProcessInfo.processInfo.environment, after look: @Sendable () async -> Void
    ) async {
        guard let interval = interval(environment), let place = environment["NOTIFY_SOCKET"] else { return }
        while !Task.isCancelled {
            await look()
            say("WATCHDOG=1", at: place)
            try? await Task.sleep(for: interval / 2)
        }
    }

    /// sd_watchdog_enabled(3)
    private static func interval(_ environment: [String: String]) -> Duration? {
        guard let time = environment["WATCHDOG_USEC"].flatMap({ Int64($0) }), time > 0,
            environment["WATCHDOG_PID"].map({ $0 == "\(getpid())" }) ?? true
        else { return nil }
        return .microseconds(time)
    }

    /// One that does not come through is followed by another.
    private static func say(_ words: String, at place: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(place.utf8)
        // An abstract name begins with a zero.
        if path.first == UInt8(ascii: "@") { path[0] = 0 }
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(descriptor, words, words.utf8.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
