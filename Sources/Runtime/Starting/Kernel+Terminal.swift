import SupervisorCore
import System

extension Kernel {
    /// Whether this process has a controlling terminal (tty(4)).
    var hasTerminal: Bool {
        do {
            _ = try open("/dev/tty", [.readOnly, .nonBlocking], mode: 0)
            return true
        } catch {
            return false
        }
    }

    /// Whether whoever started this process wants it to outlive its terminal, as nohup(1) does: SIGHUP is ignored.
    var ignoresHangUps: Bool {
        let status = (try? readFile("/proc/self/status", limit: 65_536)) ?? []
        let lines = String(decoding: status, as: UTF8.self).split(separator: "\n")
        let mask = lines.first { $0.hasPrefix("SigIgn:") }
        // The lowest bit is signal 1 (proc(5)).
        return mask?.last?.hexDigitValue.map { $0 & 1 == 1 } ?? false
    }
}
