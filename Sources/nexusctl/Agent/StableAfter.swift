import ControlClient
import SupervisorCore

/// How long a child has to be ready before it is recycled (`delay.stable-after`).
struct StableAfter {
    private let child: String
    private let time: Duration
    /// As the file says it.
    let words: String

    /// Nil: nexusd does not say it.
    init?(_ child: String, _ connection: ControlConnection) throws(ControlError) {
        let answer = try connection.answer(
            to: connection.request("settings child:\(child)"),
            until: ControlConnection.now() + StatusQuestion.limitMilliseconds)
        let setting = try ControlConnection.json(answer)["settings"]?.elements.first {
            $0["setting"]?.text == "delay.stable-after"
        }
        guard let words = setting?["value"]?.text, let time = Duration(spoken: words) else { return nil }
        (self.child, self.time, self.words) = (child, time, words)
    }

    /// How long it is until then; nil: it is stable, or not ready.
    func left(of status: ChildStatus) -> Duration? {
        guard status.state == "ready", let since = status.since, time > since else { return nil }
        // Until then, and not just before.
        return time - since + .milliseconds(100)
    }

    enum End {
        /// It can be recycled now, or is not ready.
        case stable
        /// Its run is over: another one has begun, or will.
        case replaced
    }

    /// Waits for the run that is watched, five minutes at most; for a longer time it fails at once.
    /// - Parameters:
    ///   - deadline: when it is no longer waited, which is known at the beginning.
    ///   - other: what does not wait, for who is refused.
    ///   - tell: called once, before it is waited.
    func wait(
        _ watch: UpdateWatch, until deadline: Int64?, or other: String, tell: () -> Void
    ) throws(ControlError) -> End {
        var isTold = false
        while true {
            let status = try watch.status()
            guard status.run == watch.begun.run else { return .replaced }
            guard let left = left(of: status) else { return .stable }
            let needed = "\(child) is recycled only when it has been ready for \(words) (stable-after)"
            guard left < Self.longest else { throw ControlError(.failed, needed, hint: "\(other) does not wait") }
            let end = ControlConnection.now() + left.wholeMilliseconds
            if let deadline, end > deadline {
                throw ControlError(.timeout, "\(needed), in \(left.spoken)", hint: "a longer --timeout, or \(other)")
            }
            if !isTold { tell() }
            isTold = true
            _ = try watch.wait(until: end)
        }
    }

    private static let longest = Duration.seconds(300)
}
