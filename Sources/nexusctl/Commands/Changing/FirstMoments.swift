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
    private static let endedID = "1c657580dcbb4e52bd2e5ff3959019e0"
    /// Ends that somebody wanted.
    private static let planned: Set<String> = ["done", "asked", "dependency", "recycled"]

    private let question: ControlConnection
    private let stream: ControlConnection
    private let events: FrameID
    /// Those that a name means.
    private let children: [String: [String]]
    /// They are to end by the command.
    private let runs: Set<String>

    /// Before the command, so that nothing of what follows is missed; `question` is asked between the answers.
    init(_ place: Place, _ names: [String], _ question: ControlConnection) throws(ControlError) {
        self.question = question
        stream = try place.connect()
        events = stream.request("events")
        let report = try StatusQuestion.report(question)
        var children: [String: [String]] = [:]
        for name in names {
            let all = name == "all" ? report.children.map(\.name) : nil
            children[name] = all ?? WrittenName(name).meant(in: report)?.children ?? []
        }
        self.children = children
        runs = Set(report.children.compactMap(\.run))
        try stream.flush()
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
        while !open.isEmpty, let frame = try stream.next(until: deadline) {
            guard frame.header.id == events, frame.header.kind == .stream else { continue }
            let event = try ControlConnection.json(frame.payload)
            guard event["message_id"]?.text == Self.endedID, let child = event["child"]?.text,
                let run = event["run"]?.text, !runs.contains(run), let fields = event["fields"],
                !Self.planned.contains(fields["CAUSE"]?.text ?? ""), let name = open.removeValue(forKey: child)
            else { continue }
            if failures[name] == nil { failures[name] = try failure(child, fields) }
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

    private func failure(_ child: String, _ fields: JSONValue) throws(ControlError) -> ControlError {
        let ran = fields["RAN_MS"]?.text.flatMap { Int64($0) }.map { Duration.milliseconds($0).spokenFinely }
        let how = "\(fields["CAUSE"]?.text ?? "?"): \(fields["EXIT"]?.text ?? "?")"
        let now = ChildStatus(try ControlConnection.json(StatusQuestion.ask(question, child: "child:" + child)))
        let next = now.nextTry.map { "next try in \($0.spokenFinely)" } ?? "by now it is \(now.state)"
        return ControlError(
            .failed, "\(child) was started (ready means: spawned) and ended again after \(ran ?? "a moment") (\(how))",
            hint: "\(next); see: nexusctl why \(child)")
    }
}
