public import System

/// One line of the process table.
public struct ProcessEntry: Hashable, Sendable {
    /// Its number. Together with `started` it names one process for the life of the machine.
    public let process: ProcessID
    /// Name of the executable's first 15 bytes (comm).
    public let name: String
    /// Parent at that moment.
    public let parent: ProcessID
    /// Session at that moment.
    public let session: ProcessID
    /// Start time in clock ticks since boot.
    public let started: UInt64
    /// How many threads it has.
    public let threads: Int
    /// Its main thread has ended and was not reaped; the name stays until then.
    public let isZombie: Bool
    /// It is stopped, as by SIGSTOP, and does nothing until SIGCONT.
    public let isSuspended: Bool
    /// It has executed a program since it was forked (PF_FORKNOEXEC of include/linux/sched.h is not set), which a zombie still tells.
    public let isExecuted: Bool

    /// Set by fork, taken away by exec; the AFORK of acct(5).
    private static let forkedWithoutExec: UInt64 = 0x40

    /// Reads a line of /proc/PID/stat (proc(5)): `PID (COMM) STATE PPID PGRP SESSION …`, field 9 are the flags, 20 is the number of threads, 22 the
    /// start time.
    /// COMM may hold anything, brackets and spaces included, so it ends at the last bracket.
    public init?(stat: [UInt8]) {
        guard let open = stat.firstIndex(of: UInt8(ascii: "(")), let close = stat.lastIndex(of: UInt8(ascii: ")")),
            open < close
        else { return nil }
        let fields = stat[(close + 1)...].split(whereSeparator: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") })
        guard fields.count >= 20, let process = decimal(stat[..<open]), let parent = decimal(fields[1]),
            let session = decimal(fields[3]), let flags = decimal(fields[6]), let threads = decimal(fields[17]),
            let started = decimal(fields[19])
        else { return nil }
        self.process = ProcessID(rawValue: Int32(truncatingIfNeeded: process))
        self.parent = ProcessID(rawValue: Int32(truncatingIfNeeded: parent))
        self.session = ProcessID(rawValue: Int32(truncatingIfNeeded: session))
        self.started = started
        self.threads = Int(truncatingIfNeeded: threads)
        isExecuted = flags & Self.forkedWithoutExec == 0
        isZombie = fields[0].first == UInt8(ascii: "Z")
        isSuspended = fields[0].first == UInt8(ascii: "T")
        name = String(decoding: stat[(open + 1)..<close], as: UTF8.self)
    }
}

/// A decimal number, spaces around it allowed; nil for anything else.
func decimal(_ bytes: some Sequence<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    var digits = 0
    for byte in bytes where byte != UInt8(ascii: " ") {
        guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9"), digits < 19 else { return nil }
        value = value * 10 + UInt64(byte - UInt8(ascii: "0"))
        digits += 1
    }
    return digits > 0 ? value : nil
}
