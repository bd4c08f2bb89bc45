/// One supervised child: its number in the tree, which is also its peer number on the bus. 0 is nexusd itself.
/// Given once per child name and never used again in a life of nexusd.
public struct ChildID: Hashable, Comparable, Sendable {
    /// 1 to 0x7FFF; numbers from 0x8000 belong to control clients.
    public let rawValue: UInt16

    /// Wraps a number taken from the plan.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Plan order.
    public static func < (left: ChildID, right: ChildID) -> Bool { left.rawValue < right.rawValue }
}

/// One group of the tree: its index among the plan's groups.
public struct GroupID: Hashable, Comparable, Sendable {
    /// 0 is the first group of the plan.
    public let rawValue: UInt16

    /// Wraps an index taken from the plan.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Plan order.
    public static func < (left: GroupID, right: GroupID) -> Bool { left.rawValue < right.rawValue }
}

/// One life of a child. Unique over restarts of nexusd too: the upper half is the second (CLOCK_REALTIME) in which this
/// nexusd began, the lower half counts its runs from 1.
public struct RunID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Upper 32 bits: start second of nexusd; lower 32 bits: count.
    public let rawValue: UInt64

    /// Wraps a value that was read back.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The count-th run of the nexusd that began in `second`.
    public init(second: UInt32, count: UInt32) { rawValue = UInt64(second) << 32 | UInt64(count) }

    /// When the nexusd that started it had begun: its own number among all nexusds of a machine, as good as its clock.
    public var second: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }

    /// Later runs sort last.
    public static func < (left: RunID, right: RunID) -> Bool { left.rawValue < right.rawValue }

    /// `6743f2a1-17`: the second in hexadecimal, the count in decimal; the form in logs, JSON and CLI.
    public var description: String {
        String(second, radix: 16) + "-" + String(rawValue & 0xFFFF_FFFF)
    }
}

/// A command that waits for its outcome; made by the shell, handed back in `Action.answer`.
public struct CommandID: Hashable, Sendable {
    /// Meaningless to the core.
    public let rawValue: UInt64

    /// Wraps the shell's number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A signal number of this platform, 1 to 64.
public struct Signal: Hashable, Sendable {
    /// As in signal(7).
    public let rawValue: Int32

    /// Wraps a signal number.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// SIGTERM, 15 on every Linux.
    public static let terminate = Signal(rawValue: 15)
    /// SIGKILL, 9 on every Linux.
    public static let kill = Signal(rawValue: 9)
}
