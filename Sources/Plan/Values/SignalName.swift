import SupervisorCore

/// Names of signals; numbers as in signal(7) for x86-64 and ARM.
public enum SignalName {
    /// Those that may ask a process to stop.
    private static let stopping: Set<Int32> = [1, 2, 3, 6, 9, 10, 12, 14, 15, 28, 30]

    private static let numbers: [(name: String, number: Int32)] = [
        ("HUP", 1), ("INT", 2), ("QUIT", 3), ("ILL", 4), ("TRAP", 5), ("ABRT", 6), ("BUS", 7), ("FPE", 8), ("KILL", 9),
        ("USR1", 10), ("SEGV", 11), ("USR2", 12), ("PIPE", 13), ("ALRM", 14), ("TERM", 15), ("STKFLT", 16),
        ("CHLD", 17), ("CONT", 18), ("STOP", 19), ("TSTP", 20), ("TTIN", 21), ("TTOU", 22), ("URG", 23), ("XCPU", 24),
        ("XFSZ", 25), ("VTALRM", 26), ("PROF", 27), ("WINCH", 28), ("IO", 29), ("PWR", 30), ("SYS", 31),
    ]

    /// Those that may ask a process to stop, with the prefix, for hints.
    public static let names = numbers.filter { stopping.contains($0.number) }.map { "SIG" + $0.name }

    /// All of them.
    public static let allNames = numbers.map { "SIG" + $0.name }

    /// A signal that may ask a process to stop: `SIGTERM`, `TERM` or `SIGRTMIN+3`.
    public static func parse(_ text: String) -> Signal? {
        parseAny(text).flatMap { $0.rawValue > 31 || stopping.contains($0.rawValue) ? $0 : nil }
    }

    /// Any signal that a process can die of, in the same forms.
    public static func parseAny(_ text: String) -> Signal? {
        let name = text.hasPrefix("SIG") ? String(text.dropFirst(3)) : text
        if name.hasPrefix("RTMIN+") {
            // glibc keeps the two lowest real-time signals, 32 and 33, for itself.
            guard let step = Int32(name.dropFirst(6)), (0...30).contains(step) else { return nil }
            return Signal(rawValue: 34 + step)
        }
        return numbers.first { $0.name == name }.map { Signal(rawValue: $0.number) }
    }

    /// `SIGTERM`, `SIGRTMIN+3`.
    public static func show(_ signal: Signal) -> String {
        if signal.rawValue >= 34 { return "SIGRTMIN+\(signal.rawValue - 34)" }
        return numbers.first { $0.number == signal.rawValue }.map { "SIG" + $0.name } ?? "signal \(signal.rawValue)"
    }
}
