import SupervisorCore

/// Whether log-writer still does its work. It is asked when something new is in the children's pipes or on its link, and
/// then once a second until nothing is; who says nothing has nobody woken.
struct LogWriterPulse {
    /// How long an answer may take. Its answering thread touches no disk.
    static let patience: Duration = .seconds(4)
    /// From the second signal to the tree on.
    static let hurriedPatience = Supervisor.hurriedTimeout
    /// Between an answer and the next question. Together with `patience` the 5 s for which a child may be held up.
    static let pause: Duration = .seconds(1)

    private enum State {
        /// No log-writer serves.
        case absent
        /// Nothing new that we know of: what comes wakes us.
        case watching
        /// Asked, and not answered yet.
        case asked(until: Instant)
        /// It has answered; what came meanwhile is asked about then, and what it had not done.
        case resting(until: Instant, isBehind: Bool)
        /// It did not answer, and is being ended.
        case silent
    }

    private var state = State.absent
    private var patience = Self.patience

    /// Whether something new in a pipe is to wake us.
    var isWatching: Bool {
        switch state {
        case .watching: true
        case .absent, .asked, .resting, .silent: false
        }
    }

    var deadline: Instant? {
        switch state {
        case .asked(let until), .resting(let until, _): until
        case .absent, .watching, .silent: nil
        }
    }

    /// A log-writer serves.
    mutating func begin() { state = .watching }

    /// There is none any more.
    mutating func end() { state = .absent }

    /// There is something for it to do; true when it is to be asked now. `isLast`: it is to end, and not to be left alone
    /// after its last answer.
    mutating func ask(at now: Instant, isLast: Bool = false) -> Bool {
        switch state {
        case .resting where !isLast: return false
        case .watching, .resting:
            state = .asked(until: now + patience)
            return true
        case .absent, .asked, .silent: return false
        }
    }

    /// An answer may take no longer than this from now on.
    mutating func hurry(at now: Instant) {
        patience = Self.hurriedPatience
        switch state {
        case .asked(let until): state = .asked(until: min(until, now + patience))
        case .absent, .watching, .resting, .silent: break
        }
    }

    /// It answers; `isBehind`: something it knows of is not written yet.
    mutating func answered(isBehind: Bool, at now: Instant) {
        switch state {
        case .asked: state = .resting(until: now + Self.pause, isBehind: isBehind)
        case .absent, .watching, .resting, .silent: break
        }
    }

    /// What is to be done at the deadline.
    enum Step {
        case nothing
        /// Watch for what comes.
        case watch
        /// It is to be asked again.
        case ask
        /// It has not answered for so long.
        case end(after: Duration)
    }

    /// One step when the deadline is over; `hasNews`: whether anything came since it was asked last.
    mutating func step(at now: Instant, hasNews: () -> Bool) -> Step {
        switch state {
        case .asked(let until) where until <= now:
            state = .silent
            return .end(after: patience + (now - until))
        case .resting(let until, let isBehind) where until <= now:
            state = .watching
            return hasNews() || isBehind ? .ask : .watch
        case .absent, .watching, .asked, .resting, .silent: return .nothing
        }
    }

    /// The loop was late: nobody is judged for what was not read in time.
    mutating func extend(by lateness: Duration) {
        switch state {
        case .asked(let until): state = .asked(until: until + lateness)
        case .absent, .watching, .resting, .silent: break
        }
    }
}
