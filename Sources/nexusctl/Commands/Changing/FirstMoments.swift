import ControlClient
import SupervisorCore
import Wire

/// Whether children stay for a moment whose exec is all that shows them to be ready: nexusd answers a start when they are
/// executed, and a program that cannot work ends right after that.
struct FirstMoments {
    /// Counted from the last answer.
    static let milliseconds: Int64 = 200
    /// Children that are asked about one by one; of more, each is looked at.
    private static let askedLimit = 16

    private let question: ControlConnection
    private let patience: Patience
    /// Those that a name means.
    private let children: [String: [String]]
    /// They are to end by the command.
    private let runs: Set<String>

    /// Before the command, on a status of before it; `question` is asked between the answers.
    init(
        _ children: [String: [String]], _ report: StatusReport, _ patience: Patience, _ question: ControlConnection
    ) {
        self.children = children
        self.patience = patience
        self.question = question
        runs = Set(report.children.compactMap(\.run))
    }

    /// What became of those of these names that did not stay; by name. Returns at once where nobody is to be looked at.
    func failures(of names: [String]) throws(ControlError) -> [String: ControlError] {
        var open: [String: String] = [:]
        for name in names {
            let children = children[name] ?? []
            for child in children {
                if children.count <= Self.askedLimit, try !isShownByItsExecAlone(child) { continue }
                open[child] = open[child] ?? name
            }
        }
        var failures: [String: ControlError] = [:]
        let deadline = ControlConnection.now() + Self.milliseconds
        // What ended before the last answer came is known already.
        var ends = open.keys.compactMap { patience.ends[$0] }
        func next() throws(ControlError) -> Event? {
            if let end = ends.popLast() { return end }
            return try patience.event(until: deadline)
        }
        while !open.isEmpty, let event = try next() {
            guard event.kind == .ended, let child = event.child, let run = event.json["run"]?.text,
                !runs.contains(run), !Patience.isWished(event), event.fact("CAUSE") != "done",
                let name = open.removeValue(forKey: child)
            else { continue }
            if failures[name] == nil { failures[name] = try failure(child, event) }
        }
        return failures
    }

    private func isShownByItsExecAlone(_ child: String) throws(ControlError) -> Bool {
        let id = question.request("settings child:\(child)")
        let answer = try ControlConnection.json(
            question.answer(to: id, until: ControlConnection.now() + StatusQuestion.limitMilliseconds))
        let ready = answer["settings"]?.elements.first { $0["setting"]?.text == "ready" }
        return ready?["value"]?.text == "spawned"
    }

    private func failure(_ child: String, _ end: Event) throws(ControlError) -> ControlError {
        let ran = end.fact("RAN_MS").flatMap { Int64($0) }.map { Duration.milliseconds($0).spokenFinely }
        let how = "\(end.fact("CAUSE") ?? "?"): \(end.fact("EXIT") ?? "?")"
        let now = ChildStatus(try ControlConnection.json(StatusQuestion.ask(question, child: "child:" + child)))
        let next = now.nextTry.map { "next try in \($0.spokenFinely)" } ?? "by now it is \(now.state)"
        return ControlError(
            .failed, "\(child) was started (ready means: spawned) and ended again after \(ran ?? "a moment") (\(how))",
            hint: "\(next); see: nexusctl why \(child)")
    }
}
