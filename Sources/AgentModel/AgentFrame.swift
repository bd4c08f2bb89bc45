/// One frame of a turn's stream on the bus: an event, or a part of a whole text that is too long for one frame.
public struct AgentFrame: Hashable, Sendable {
    /// What happened.
    public var event: AgentEvent
    /// The text is whole with a later frame only: nothing is to be replaced by this part of it.
    public var goesOn: Bool

    /// Both fields.
    public init(event: AgentEvent, goesOn: Bool = false) {
        self.event = event
        self.goesOn = goesOn
    }
}

extension AgentFrame: Codable {
    private enum Key: String, CodingKey {
        case more
    }

    /// The event's own object, with `"more":true` where it goes on.
    public init(from decoder: any Decoder) throws {
        event = try AgentEvent(from: decoder)
        goesOn = try decoder.container(keyedBy: Key.self).decodeIfPresent(Bool.self, forKey: .more) ?? false
    }

    /// As `init(from:)` reads it.
    public func encode(to encoder: any Encoder) throws {
        try event.encode(to: encoder)
        var fields = encoder.container(keyedBy: Key.self)
        if goesOn { try fields.encode(true, forKey: .more) }
    }
}

extension AgentEvent {
    /// The event as frames of the bus.
    public var frames: [AgentFrame] {
        let pieces = pieces
        guard case .textBlock = self else { return pieces.map { AgentFrame(event: $0) } }
        return pieces.enumerated().map { AgentFrame(event: $1, goesOn: $0 < pieces.count - 1) }
    }
}

/// Puts a whole text together that came in several frames, so that it replaces what was streamed in one step: whoever is
/// killed in between has the streamed text, not a beginning of it.
public struct AgentFrames: Sendable {
    /// Bytes that are collected of one text; what is longer goes on by being appended.
    public static let joinLimit = 1_048_576

    private var begun: (block: String, text: String)?

    /// Nothing is under way.
    public init() {}

    /// What is known to have happened with this frame.
    public mutating func take(_ frame: AgentFrame) -> [AgentEvent] {
        if let (block, text) = begun {
            begun = nil
            // Nothing else comes in between; if it did, the text would be what has come of it.
            guard case .textDelta(block, let more) = frame.event else {
                return [.textBlock(block: block, text: text), frame.event]
            }
            return collect(block, text + more, frame.goesOn)
        }
        guard case .textBlock(let block, let text) = frame.event else { return [frame.event] }
        return collect(block, text, frame.goesOn)
    }

    private mutating func collect(_ block: String, _ text: String, _ goesOn: Bool) -> [AgentEvent] {
        guard goesOn, text.utf8.count < Self.joinLimit else { return [.textBlock(block: block, text: text)] }
        begun = (block, text)
        return []
    }
}
