import Foundation
import Glibc

/// An instant of one boot of this machine, by CLOCK_BOOTTIME: it goes on while the machine sleeps and over restarts of every
/// program, and nobody sets it. (The wall clock of a small machine without a battery begins anywhere after a power cut.)
public struct BootInstant: Hashable, Sendable, Codable {
    /// Which boot (random(4), `boot_id`).
    public var boot: String
    /// Since that boot.
    public var milliseconds: Int64

    /// Whatever a clock of this kind may say, with which can be reckoned: 30,000 years.
    static let times: ClosedRange<Int64> = 0...(1 << 50)

    /// Both.
    public init(boot: String, milliseconds: Int64) {
        self.boot = boot
        self.milliseconds = milliseconds
    }

    /// Now.
    public static func now() -> BootInstant {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        let id = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
        return BootInstant(
            boot: id.trimmingCharacters(in: .whitespacesAndNewlines),
            milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// Later by so much.
    public func advanced(by time: Duration) -> BootInstant {
        BootInstant(boot: boot, milliseconds: milliseconds + Int64(time / .milliseconds(1)))
    }
}
