import AgentModel
import Synchronization

/// An answer on its way to the agent, whose word on it names nobody.
struct Saying: Hashable, Sendable {
    /// Characters kept of a name.
    private static let nameLimit = 60

    let session: SessionID
    let id: String
    let answer: Answered.Answer
    let who: String?
    let chosen: [[String?]]?

    /// - Parameter asked: what it answers; nil: that is not known.
    init(_ answer: ChatAnswer, to id: String, _ asked: ChatEvent.Asking?, in session: SessionID, by who: String?) {
        self.session = session
        self.id = id
        self.who = who.map { String($0.prefix(Self.nameLimit)) }
        switch answer {
        case .permission(let reply, _): (self.answer, chosen) = (Answered.Answer(reply), nil)
        case .dismiss: (self.answer, chosen) = (.dismissed, nil)
        case .question(let answers):
            self.answer = .answered
            if case .question(let ask) = asked {
                chosen = zip(ask.questions, answers).map { $0.chosen($1) }
            } else {
                chosen = nil
            }
        }
    }
}

extension QuestionAsk.Question {
    /// Of an answer what the agent had offered, and one nil for all else: own words may be a secret and are not kept.
    fileprivate func chosen(_ answer: [String]) -> [String?] {
        let offered = options.map(\.label)
        return offered.filter(answer.contains) + (answer.allSatisfy(offered.contains) ? [] : [nil])
    }
}

/// What was said to what waits, until the agent's word on it or the end of its turn.
final class Sayings: Sendable {
    /// So many are known; the oldest goes, and is told without a name.
    private static let limit = 256

    private let all = Mutex<[Saying]>([])

    func add(_ saying: Saying) {
        all.withLock { all in
            all.append(saying)
            if all.count > Self.limit { all.removeFirst() }
        }
    }

    /// The agent did not take it.
    func remove(_ saying: Saying) {
        all.withLock { all in
            if let place = all.firstIndex(of: saying) { all.remove(at: place) }
        }
    }

    /// Nothing waits there any more.
    func forget(_ session: SessionID) { all.withLock { $0.removeAll { $0.session == session } } }

    /// The agent's word with the name of who said it, and what he chose: of several the first who said just that.
    func name(_ answered: Answered, in session: SessionID) -> Answered {
        let said = all.withLock { all in
            let place = { (one: Saying) in one.session == session && one.id == answered.id }
            defer { all.removeAll(where: place) }
            return all.first { place($0) && $0.answer == answered.answer }
        }
        guard let said, answered.by == .user else { return answered }
        var named = answered
        named.who = said.who
        named.chosen = said.chosen
        return named
    }
}
