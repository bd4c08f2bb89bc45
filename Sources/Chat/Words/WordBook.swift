import Synchronization

/// Makes words of what happens and writes them down: from then on they survive a crash, and each is said once.
///
/// On disk and not in memory: a turn that was over when chat-bridge was killed would never be told, and a restart would
/// tell every parked child anew. The word of a turn's end is of the transaction that ends it; any other costs one more, and
/// they are few. What happens in a turn waits for nothing here: events go into a bounded queue in memory first.
public final class WordBook: Sendable {
    /// Words that may wait to be written down; more are lost, which is told.
    static let waitingLimit = 256

    private enum Entry: Sendable {
        case say(Word)
        /// These children are parked.
        case parked([Word])
        /// These came back.
        case back([String])
        /// Nobody waits for an answer to this one any more; nil: to none of that turn.
        case over(SessionID, TurnID, id: String?)
    }

    private let store: ChatStore
    private let rules: WordRules
    private let entries: AsyncStream<Entry>
    private let waiting: AsyncStream<Entry>.Continuation
    private let returning: (@Sendable (DeviceID) -> ReturnCode)?
    private let added: @Sendable () -> Void
    private let trouble: @Sendable (String) -> Void

    /// `returning` makes the code of a link by which a device comes back under an address that does not last; nil: none is made.
    /// `added` is called when there is something to deliver, `trouble` when a word could not be written down.
    public init(
        store: ChatStore, rules: WordRules, returning: (@Sendable (DeviceID) -> ReturnCode)? = nil,
        added: @escaping @Sendable () -> Void,
        trouble: @escaping @Sendable (String) -> Void
    ) {
        self.store = store
        store.sayEnds(by: rules)
        self.rules = rules
        self.returning = returning
        self.added = added
        self.trouble = trouble
        (entries, waiting) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.waitingLimit))
    }

    /// Looks at an event of a session; never waits.
    public func hear(_ event: ChatEvent) {
        switch event.what {
        case .ended(let state, let reason):
            over(event)
            if TurnRunner.isKnownToTheUser(state, reason) { return }
            // It is written with the end already, unless a damaged store was found with this turn in it.
            say(.turn(event.session, event.turn, state))
        case .permission(let ask): say(.asked(event.session, event.turn, id: ask.id, .permission))
        case .question(let ask): say(.asked(event.session, event.turn, id: ask.id, .question))
        case .answered(let answered): over(event, id: answered.id)
        case .accepted, .waiting, .started, .text, .reasoning, .tool, .todos, .changes, .usage, .notice:
            break
        }
    }

    /// The tunnel has this address.
    public func hear(address: String, lasts: Bool = true) { say(.address(address, lasts: lasts)) }

    /// Who is parked, and who serves again (or is off): a child is said to be parked once until it came back.
    public func hear(parked: [Word], back: [String]) {
        guard rules.send.contains(.parked) else { return }
        put(.back(back))
        put(.parked(parked))
    }

    /// Writes down what was heard until its task is cancelled.
    public func run() async {
        for await entry in entries {
            do {
                switch entry {
                case .say(let word): try await write(word)
                case .parked(let words): for word in words { try await write(word) }
                case .back(let children): try await forgetParked(children)
                case .over(let session, let turn, let id): try await store.withdrawAsked(in: session, turn, id: id)
                }
            } catch {
                trouble("a word to the owner could not be written down: \(StoreFailure.words(error, path: store.path))")
            }
        }
    }

    private func say(_ word: Word) {
        guard rules.send.contains(word.kind) else { return }
        put(.say(word))
    }

    /// Where nothing is said of what is asked there is nothing to take back.
    private func over(_ event: ChatEvent, id: String? = nil) {
        if rules.send.contains(.asked) { put(.over(event.session, event.turn, id: id)) }
    }

    private func put(_ entry: Entry) {
        if case .dropped = waiting.yield(entry) {
            trouble("a word to the owner is lost: \(Self.waitingLimit) wait already")
        }
    }

    private func write(_ word: Word) async throws {
        let isNew = try await store.add(word, id: Word.randomID(), rules, now: ChatStore.milliseconds(), returning)
        // The end of a turn brought its word along.
        if isNew || word.kind == .turn { added() }
    }

    private func forgetParked(_ children: [String]) async throws {
        let told = try await store.parkedChildren()
        try await store.forgetParked(children.filter(told.contains))
    }
}
