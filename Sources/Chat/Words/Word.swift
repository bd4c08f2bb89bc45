/// Something that needs the owner, said to him without his having asked. These and no others leave the machine.
public enum Word: Hashable, Sendable {
    /// A turn is over, and not because the user stopped it.
    case turn(SessionID, TurnID, TurnState)
    /// The agent wants leave, or asks a question, and waits.
    case asked(SessionID, TurnID, id: String, Asking)
    /// A child was given up for now, or (no next try) until somebody does something.
    case parked(child: String, cause: String, isTriedAgain: Bool)
    /// The tunnel has another address; one that does not last is another after each start.
    case address(String, lasts: Bool = true)

    /// What the agent waits for.
    public enum Asking: String, Hashable, Sendable {
        /// Leave to do something.
        case permission
        /// An answer.
        case question
    }

    /// What `[word] send` names them by.
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// A turn is over.
        case turn
        /// The agent asks.
        case asked
        /// A child is parked.
        case parked
        /// The tunnel has a new address.
        case address

        /// False: it is about the machine, and for owners only.
        public var isOfTheChat: Bool {
            switch self {
            case .turn, .asked, .address: true
            case .parked: false
            }
        }
    }

    /// Its kind.
    public var kind: Kind {
        switch self {
        case .turn: .turn
        case .asked: .asked
        case .parked: .parked
        case .address: .address
        }
    }

    /// A new word's own name; 100 bits: unique over all boxes that tell the same receiver.
    static func randomID() -> String {
        var generator = SystemRandomNumberGenerator()
        return "word_" + ReadableText.random(20, using: &generator)
    }

    /// What it is about: a word is said once a key.
    var key: String {
        switch self {
        case .turn(_, let turn, _): "turn:\(turn)"
        case .asked(let session, _, let id, _): Self.askedKey(session, id)
        case .parked(let child, _, _): Self.parkedKey(child)
        case .address(let url, _): Self.addressKeys + url
        }
    }

    /// Without an id the beginning of all of a session.
    static func askedKey(_ session: SessionID, _ id: String) -> String { "asked:\(session):\(id)" }

    /// A child that came back may be parked again, and that is said again.
    static func parkedKey(_ child: String) -> String { "parked:\(child)" }

    /// Only the newest address is remembered.
    static let addressKeys = "address:"

    /// The session it belongs to.
    var session: SessionID? {
        switch self {
        case .turn(let session, _, _), .asked(let session, _, _, _): session
        case .parked, .address: nil
        }
    }

    /// A sentence for people, without a word of the chat.
    var sentence: String {
        switch self {
        case .turn(_, _, let state):
            switch state {
            case .done: "The agent is done."
            case .failed: "A turn failed."
            case .interrupted: "A turn was interrupted."
            case .queued, .running: "A turn is under way."
            }
        case .asked(_, _, _, .permission): "The agent asks for leave and waits."
        case .asked(_, _, _, .question): "The agent asks a question and waits."
        case .parked(let child, let cause, let isTriedAgain):
            "\(child) is parked (\(cause)) and \(isTriedAgain ? "will be tried again" : "needs you")."
        case .address: "The chat has a new address."
        }
    }

    /// How much it hurries: somebody waits, or something is broken.
    var isUrgent: Bool {
        switch kind {
        case .asked, .parked: true
        case .turn, .address: false
        }
    }
}
