/// A chat session: ten characters that a person can read out and type.
public struct SessionID: Hashable, Sendable, Codable, CustomStringConvertible {
    /// As people type it.
    public let rawValue: String

    // 50 bits are enough for the sessions of one owner.
    private static let length = 10

    /// Wraps what was read back, or typed.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A new one.
    public static func random(using generator: inout some RandomNumberGenerator) -> SessionID {
        SessionID(rawValue: ReadableText.random(length, using: &generator))
    }

    /// A plain JSON string.
    public init(from decoder: any Decoder) throws { rawValue = try decoder.singleValueContainer().decode(String.self) }

    /// A plain JSON string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    /// The same.
    public var description: String { rawValue }
}

/// One message of the user with everything that came of it. Counts up over all sessions, never used twice.
public struct TurnID: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    /// The row in the store.
    public let rawValue: Int64

    /// Wraps what was read back.
    public init(rawValue: Int64) { self.rawValue = rawValue }

    /// Later turns sort last.
    public static func < (left: TurnID, right: TurnID) -> Bool { left.rawValue < right.rawValue }

    /// A plain JSON number.
    public init(from decoder: any Decoder) throws { rawValue = try decoder.singleValueContainer().decode(Int64.self) }

    /// A plain JSON number.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    /// The number.
    public var description: String { String(rawValue) }
}

/// A place in a session's sequence of events. Grows, with gaps; never used twice, also not after a crash.
public struct EventNumber: Hashable, Comparable, Sendable, Codable {
    /// 0 is before the first event.
    public let rawValue: Int64

    /// Wraps what was read back.
    public init(rawValue: Int64) { self.rawValue = rawValue }

    /// Before every event.
    public static let start = EventNumber(rawValue: 0)

    /// Later events sort last.
    public static func < (left: EventNumber, right: EventNumber) -> Bool { left.rawValue < right.rawValue }

    /// A plain JSON number.
    public init(from decoder: any Decoder) throws { rawValue = try decoder.singleValueContainer().decode(Int64.self) }

    /// A plain JSON number.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

/// A place in the sequence of changes of the list of sessions. Grows, with gaps.
public struct ListNumber: Hashable, Comparable, Sendable, Codable {
    /// Milliseconds since 1970 when the store was made, and one more for each change.
    public let rawValue: Int64

    /// Wraps what was read back.
    public init(rawValue: Int64) { self.rawValue = rawValue }

    /// Later changes sort last.
    public static func < (left: ListNumber, right: ListNumber) -> Bool { left.rawValue < right.rawValue }

    /// A plain JSON number.
    public init(from decoder: any Decoder) throws { rawValue = try decoder.singleValueContainer().decode(Int64.self) }

    /// A plain JSON number.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}
