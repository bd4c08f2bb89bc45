import Foundation

/// The world's events as 2.x tells them. 1.x shows states (a part, whole), 2.x changes (begun, grown, ended), so what was
/// told already is remembered here.
struct V2View {
    /// Settled forms that are remembered, the oldest first to go.
    static let settledLimit = 1000

    private var numbers: [String: Int] = [:]
    var titles: [String: String] = [:]
    /// Prompts that were accepted and not begun, by session, in their order.
    var waiting: [String: [String]] = [:]
    /// Sessions at work.
    var runs: [String: V2Run] = [:]
    private(set) var settled: [String] = []

    /// The frames for one event of a directory.
    mutating func frames(of type: String, _ event: some V2Visible, directory: String) -> [Data] {
        event.seen(as: type, by: &self).map { event in
            let number = event.log.map { log in
                defer { numbers[log, default: 0] += 1 }
                return numbers[log, default: 0]
            }
            return event.bytes(directory: directory, number: number)
        }
    }

    /// What the last process left: only changes of titles are told.
    mutating func remember(_ sessions: some Sequence<Session>) {
        for session in sessions { titles[session.id] = session.title }
    }

    mutating func settle(_ form: String) {
        settled.append(form)
        if settled.count > Self.settledLimit { settled.removeFirst() }
    }
}

/// A session at work.
struct V2Run {
    /// The message that is being written.
    var message: MessageInfo?
    /// A step that ended with tool calls: whether another one follows shows in what comes next.
    var openStep: MessageInfo?
    /// The texts and reasonings told so far, by part.
    var blocks: [String: Block] = [:]
    /// How many of each kind the message has.
    var counts: [String: Int] = [:]
    /// Calls that were told to run.
    var called: Set<String> = []
    /// Files that the message changed.
    var files: [String] = []
    /// Why the turn failed.
    var problem: MessageInfo.Problem?

    /// What 2.x knows a text by: its kind, and its number among them in its message.
    struct Block {
        var kind: String
        var number: Int
    }
}
