import SupervisorCore

/// Signals that may ask a process to stop; numbers as in signal(7) for x86-64 and ARM.
enum SignalName {
    private static let numbers: [(name: String, number: Int32)] = [
        ("HUP", 1), ("INT", 2), ("QUIT", 3), ("ABRT", 6), ("KILL", 9), ("USR1", 10), ("USR2", 12), ("ALRM", 14),
        ("TERM", 15), ("WINCH", 28), ("PWR", 30),
    ]

    /// With the prefix, for hints.
    static let names = numbers.map { "SIG" + $0.name }

    /// `SIGTERM`, `TERM` or `SIGRTMIN+3`.
    static func parse(_ text: String) -> Signal? {
        let name = text.hasPrefix("SIG") ? String(text.dropFirst(3)) : text
        if name.hasPrefix("RTMIN+") {
            // glibc keeps the two lowest real-time signals, 32 and 33, for itself.
            guard let step = Int32(name.dropFirst(6)), (0...30).contains(step) else { return nil }
            return Signal(rawValue: 34 + step)
        }
        return numbers.first { $0.name == name }.map { Signal(rawValue: $0.number) }
    }
}
