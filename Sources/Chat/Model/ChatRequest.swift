import Foundation

/// What a client asks of chat-bridge: the payload of a bus request, as JSON with `op` as the discriminator.
public enum ChatRequest: Hashable, Sendable {
    /// Takes a message; answered by the events of its turn, `accepted` first and `ended` last. The message is in the
    /// store before `accepted` is said.
    case send(Submission)
    /// The sessions, newest first: one object of type `session` a frame.
    /// With `isNumbered` the number behind which `changes` goes on is told behind them.
    case list(isNumbered: Bool)
    /// What changes in the list behind that number, as it happens.
    case changes(after: ListNumber)
    /// A whole session (nil: the newest): for each turn one object of type `turn`, then its blocks as events.
    case history(SessionID?)
    /// The newest turns of a session, or those before or behind one, or one alone; with the number to go on from (`resume`).
    case open(SessionID, Stretch)
    /// The events after that number, and then what happens: until nothing is under way, or with `follow` for ever.
    /// With `list` also what `changes` tells behind that number.
    case resume(SessionID, after: EventNumber, follow: Bool, list: ListNumber? = nil)
    /// Stops the turn that runs and withdraws those that are queued; or only the one that is named.
    case abort(SessionID, turn: TurnID?)
    /// Turns that hold all these words; so many at most.
    case search(String, limit: Int)
    /// Gives a session another title.
    case rename(SessionID, title: String)
    /// Forgets a session; refused while a turn of it waits or runs.
    case delete(SessionID)
    /// Makes a session of what was said before a turn (nil: of everything).
    case fork(SessionID, before: TurnID?)
    /// Takes back a turn and all behind it: the agent forgets them, and what it changed meanwhile is changed back.
    case revert(SessionID, to: TurnID)
    /// Brings back what was taken back last, unless something was said since.
    case unrevert(SessionID)
    /// Models, agents and commands of a workspace (nil: of the first): one object of type `model`, `agent` or `command` a
    /// frame.
    case catalog(workspace: String?)
    /// Model and agent of a session from now on.
    case choose(SessionID, ChoiceChange)
    /// Says yes or no to what the agent wants leave for in a session, or answers its question.
    case answer(SessionID, id: String, ChatAnswer)
    /// Begins to take a file of so many bytes.
    case upload(bytes: Int64)
    /// The next bytes of an upload.
    case piece(Data, at: Int64, upload: String)
    /// A whole session as a text.
    case export(SessionID, ExportFormat)
    /// How chat and agent are.
    case describe
}

extension ChatRequest {
    /// The session that it needs.
    public var session: SessionID? {
        switch self {
        case .send(let submission): submission.session
        case .history(let session): session
        case .open(let session, _), .resume(let session, _, _, _), .abort(let session, _), .rename(let session, _),
            .delete(let session), .fork(let session, _), .revert(let session, _), .unrevert(let session),
            .choose(let session, _), .answer(let session, _, _), .export(let session, _):
            session
        case .list, .changes, .search, .catalog, .upload, .piece, .describe: nil
        }
    }
}

extension ChatRequest: Decodable {
    fileprivate enum Key: String, CodingKey {
        case op, session, workspace, text, model, agent, client_id, after, follow, turn, before, limit, title, id,
            attachments, bytes, upload, at, data, reply, message,
            answers, format, list, numbered, withdrawn
    }

    private enum Operation: String, Decodable, CaseIterable {
        case send, list, changes, history, open, resume, abort, search, rename, delete, fork, revert,
            unrevert, upload, piece, catalog, choose, answer, export, describe
    }

    /// Reads the object; unknown fields are ignored, an unknown `op` is refused.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        switch try fields.decode(Operation.self, forKey: .op) {
        case .send:
            self = .send(
                Submission(
                    session: try fields.decodeIfPresent(SessionID.self, forKey: .session),
                    workspace: try fields.decodeIfPresent(String.self, forKey: .workspace),
                    text: try fields.decode(String.self, forKey: .text), choice: try Self.choice(fields),
                    clientID: try fields.decode(String.self, forKey: .client_id),
                    attachments: try fields.decodeIfPresent([AttachmentReference].self, forKey: .attachments) ?? [],
                    isWithdrawn: try fields.decodeIfPresent(Bool.self, forKey: .withdrawn) ?? false))
        case .list:
            self = .list(isNumbered: try fields.decodeIfPresent(Bool.self, forKey: .numbered) ?? false)
        case .changes: self = .changes(after: try fields.decode(ListNumber.self, forKey: .after))
        case .history: self = .history(try fields.decodeIfPresent(SessionID.self, forKey: .session))
        case .open:
            self = .open(
                try fields.decode(SessionID.self, forKey: .session),
                Stretch(
                    before: try fields.decodeIfPresent(TurnID.self, forKey: .before),
                    after: try fields.decodeIfPresent(TurnID.self, forKey: .after),
                    only: try fields.decodeIfPresent(TurnID.self, forKey: .turn),
                    limit: try fields.decodeIfPresent(Int.self, forKey: .limit) ?? Stretch.standardLimit))
        case .resume:
            self = .resume(
                try fields.decode(SessionID.self, forKey: .session),
                after: try fields.decodeIfPresent(EventNumber.self, forKey: .after) ?? .start,
                follow: try fields.decodeIfPresent(Bool.self, forKey: .follow) ?? false,
                list: try fields.decodeIfPresent(ListNumber.self, forKey: .list))
        case .abort:
            self = .abort(
                try fields.decode(SessionID.self, forKey: .session),
                turn: try fields.decodeIfPresent(TurnID.self, forKey: .turn))
        case .search:
            self = .search(
                try fields.decode(String.self, forKey: .text),
                limit: try fields.decodeIfPresent(Int.self, forKey: .limit) ?? Stretch.standardLimit)
        case .rename:
            self = .rename(
                try fields.decode(SessionID.self, forKey: .session),
                title: try fields.decode(String.self, forKey: .title))
        case .delete: self = .delete(try fields.decode(SessionID.self, forKey: .session))
        case .fork:
            self = .fork(
                try fields.decode(SessionID.self, forKey: .session),
                before: try fields.decodeIfPresent(TurnID.self, forKey: .turn))
        case .revert:
            self = .revert(
                try fields.decode(SessionID.self, forKey: .session), to: try fields.decode(TurnID.self, forKey: .turn))
        case .unrevert: self = .unrevert(try fields.decode(SessionID.self, forKey: .session))
        case .upload: self = .upload(bytes: try fields.decode(Int64.self, forKey: .bytes))
        case .piece:
            self = .piece(
                try fields.decode(Data.self, forKey: .data), at: try fields.decode(Int64.self, forKey: .at),
                upload: try fields.decode(String.self, forKey: .upload))
        case .catalog: self = .catalog(workspace: try fields.decodeIfPresent(String.self, forKey: .workspace))
        case .choose: self = .choose(try fields.decode(SessionID.self, forKey: .session), try Self.choice(fields))
        case .answer:
            self = .answer(
                try fields.decode(SessionID.self, forKey: .session), id: try fields.decode(String.self, forKey: .id),
                try ChatAnswer(from: decoder))
        case .export:
            self = .export(
                try fields.decode(SessionID.self, forKey: .session),
                try fields.decodeIfPresent(ExportFormat.self, forKey: .format) ?? .markdown)
        case .describe: self = .describe
        }
    }

    /// A member that is there changes something, also to null.
    private static func choice(_ fields: KeyedDecodingContainer<Key>) throws -> ChoiceChange {
        func field(_ key: Key) throws -> ChoiceChange.Field {
            fields.contains(key) ? .set(try fields.decodeIfPresent(String.self, forKey: key)) : .keep
        }
        return ChoiceChange(model: try field(.model), agent: try field(.agent))
    }

    /// Reads a payload; the error says what would have been right.
    public init(payload: [UInt8]) throws(ChatError) {
        if let why = HalfCharacter.objection(to: payload) { throw ChatError(.badRequest, why) }
        do {
            self = try JSONDecoder().decode(ChatRequest.self, from: Data(payload))
        } catch {
            throw ChatError(.badRequest, Self.refusal(of: payload, error))
        }
    }

    /// Which member is not good, and what it takes; the operations, where the operation itself is what is not understood.
    private static func refusal(of payload: [UInt8], _ error: any Error) -> String {
        struct Named: Decodable {
            var op: Operation
        }
        let (path, isMissing): ([any CodingKey], Bool) =
            switch error {
            case DecodingError.keyNotFound(let key, let context): (context.codingPath + [key], true)
            case DecodingError.valueNotFound(_, let context), DecodingError.typeMismatch(_, let context),
                DecodingError.dataCorrupted(let context):
                (context.codingPath, false)
            case _: ([], false)
            }
        let decoder = JSONDecoder()
        guard let named = try? decoder.decode(Named.self, from: Data(payload)),
            let first = path.first ?? (try? decoder.decode(Numbers.self, from: Data(payload)))?.unfit,
            let member = Key(stringValue: first.stringValue)
        else {
            let all = Operation.allCases.map(\.rawValue).joined(separator: ", ")
            return "not understood; chat-bridge takes JSON with op: \(all)"
        }
        let place = path.dropFirst().reduce(first.stringValue) { place, key in
            place + (key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)")
        }
        return "\(named.op.rawValue): \(place) \(isMissing ? "is missing" : "is not good"); \(first.stringValue) is "
            + member.takes
    }
}

/// Foundation does not say which number it is that is not whole, or too large.
private struct Numbers: Decodable {
    let unfit: ChatRequest.Key?

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: ChatRequest.Key.self)
        unfit = fields.allKeys.first { key in
            guard key.takes == ChatRequest.Key.wholeNumber else { return false }
            do { _ = try fields.decodeIfPresent(Int64.self, forKey: key) } catch { return true }
            return false
        }
    }
}

extension ChatRequest.Key {
    fileprivate static let wholeNumber = "a whole number"

    /// In words.
    fileprivate var takes: String {
        switch self {
        case .op, .session, .workspace, .text, .client_id, .title, .id, .upload, .message: "a text"
        case .model, .agent: "a text, or null"
        case .after, .turn, .before, .limit, .bytes, .at, .list: Self.wholeNumber
        case .follow, .numbered, .withdrawn: "true or false"
        case .attachments: #"a list of {"id":ID,"name":NAME}"#
        case .data: "a text: bytes as base64"
        case .reply: #""once", "always", "reject" or "dismiss""#
        case .answers: "a list of lists of texts, one for each question"
        case .format: #""markdown" or "json""#
        }
    }
}

/// Which turns of a session.
public struct Stretch: Hashable, Sendable {
    /// Turns older than this one; nil: the newest.
    public var before: TurnID?
    /// The turns next behind this one; nil: the newest.
    public var after: TurnID?
    /// This one alone.
    public var only: TurnID?
    /// How many at most.
    public let limit: Int

    /// Turns told without a word of how many.
    public static let standardLimit = 20

    /// `limit` is brought between 1 and 100.
    public init(
        before: TurnID? = nil, after: TurnID? = nil, only: TurnID? = nil, limit: Int = standardLimit
    ) {
        self.before = before
        self.after = after
        self.only = only
        self.limit = min(max(limit, 1), 100)
    }
}
