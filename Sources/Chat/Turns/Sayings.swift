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

/// What was said to what waits, until the agent's word on it or the end of its turn. Of several who answer one thing the
/// first who is here is heard: nobody else's words go to the agent, or are told as its answer.
final class Sayings: Sendable {
    /// So many are known; the oldest goes, and is told without a name.
    private static let limit = 256

    private struct Entry {
        enum Course {
            case underWay, taken
            /// The agent may have it or not: whoever answers next is heard too.
            case unsure
        }
        let saying: Saying
        var course = Course.underWay
    }

    private let all = Mutex<[Entry]>([])

    /// False: another one came first.
    func begin(_ saying: Saying) -> Bool {
        all.withLock { all in
            if all.contains(where: { $0.saying.isBeside(saying) && $0.course != .unsure }) { return false }
            all.append(Entry(saying: saying))
            if all.count > Self.limit { all.removeFirst() }
            return true
        }
    }

    /// The agent has it; nil: nobody knows.
    func end(_ saying: Saying, isTaken: Bool?) {
        all.withLock { all in
            guard let place = all.firstIndex(where: { $0.saying == saying && $0.course == .underWay }) else { return }
            switch isTaken {
            case true?: all[place].course = .taken
            case false?: all.remove(at: place)
            case nil: all[place].course = .unsure
            }
        }
    }

    /// Nothing waits there any more.
    func forget(_ session: SessionID) { all.withLock { $0.removeAll { $0.saying.session == session } } }

    /// What the agent is known to have of what was said to something.
    func taken(_ id: String, in session: SessionID) -> Answered.Answer? {
        all.withLock { all in
            all.first { $0.saying.session == session && $0.saying.id == id && $0.course == .taken }?.saying.answer
        }
    }

    /// The agent's word with the name of who said it, and what he chose, where that is certain.
    func name(_ answered: Answered, in session: SessionID) -> Answered {
        let said = all.withLock { all in
            let place = { (one: Entry) in one.saying.session == session && one.saying.id == answered.id }
            defer { all.removeAll(where: place) }
            let just = all.filter { place($0) && $0.saying.answer == answered.answer }
            return (just.first { $0.course == .taken } ?? (just.count == 1 ? just[0] : nil))?.saying
        }
        guard let said, answered.by == .user else { return answered }
        var named = answered
        named.who = said.who
        named.chosen = said.chosen
        return named
    }
}

extension Saying {
    fileprivate func isBeside(_ other: Saying) -> Bool { session == other.session && id == other.id }
}
