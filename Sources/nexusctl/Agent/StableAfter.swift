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
        /// It can be recycled now.
        case stable
        /// It is being stopped, or is over: another one has begun, or will, or none.
        case over
    }

    /// Waits for the run that there is, five minutes at most; for a longer time it fails at once. A nexusd that is killed meanwhile is
    /// asked no more, but the one that goes on with the run.
    /// - Parameters:
    ///   - deadline: when it is no longer waited, which is known at the beginning.
    ///   - other: what does not wait, for who is refused.
    ///   - tell: called once, before it is waited.
    func wait(
        _ place: Place, until deadline: Int64?, or other: String, tell: () -> Void
    ) throws(ControlError) -> End {
        var watch = try UpdateWatch(child, place)
        let run = watch.begun.run
        var status = watch.begun
        var isTold = false
        while true {
            guard status.run == run, status.state == "ready" else { return .over }
            guard let left = left(of: status) else { return .stable }
            let needed = "\(child) is recycled only when it has been ready for \(words) (stable-after)"
            guard left < Self.longest else { throw ControlError(.failed, needed, hint: "\(other) does not wait") }
            let end = ControlConnection.now() + left.wholeMilliseconds
            if let deadline, end > deadline {
                throw ControlError(.timeout, "\(needed), in \(left.spoken)", hint: "a longer --timeout, or \(other)")
            }
            if !isTold { tell() }
            isTold = true
            do throws(ControlError) {
                _ = try watch.wait(until: end)
                status = try watch.status()
            } catch {
                guard error.code == .failed || error.code == .notRunning else { throw error }
                watch = try UpdateWatch(child, place)
                status = watch.begun
            }
        }
    }

    private static let longest = Duration.seconds(300)
}
