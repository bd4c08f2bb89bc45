import ControlClient
import Glibc

/// One update of one program, from the copy to what is kept in the end.
struct Update<Subject: UpdateSubject>: ~Copyable {
    private(set) var subject: Subject
    let options: UpdateOptions
    private(set) var place: Place
    var shelf: ProgramShelf

    init(_ place: Place, _ options: UpdateOptions) throws(ControlError) {
        subject = Subject(place, options)
        self.options = options
        self.place = place
        shelf = try ProgramShelf(Subject.program, place.locations())
    }

    private var name: String { Subject.program }

    /// Accepts the program at a path.
    mutating func take(_ path: String) throws(ControlError) -> UpdateOutcome {
        let child = try subject.child()
        try refuseWhileStopping(child)
        _ = try endInterrupted()
        defer { shelf.sweep() }
        let hash = try shelf.take(path)
        let version = try subject.version(of: shelf.place.incomingProgram, from: path, child)
        let source = AcceptedBook.Source.copy(hash)
        let isKnown = shelf.book.current == source
        if isKnown, shelf.place.damage(of: source) == nil {
            return UpdateOutcome(name, .unchanged, shelf.book, seen: nil)
        }
        try shelf.keep(hash)
        shelf.note(.init(hash: hash, text: version, origin: path, copied: Self.now))
        if isKnown {
            try shelf.perform([.write(shelf.book)])
            return UpdateOutcome(name, .repaired, shelf.book, seen: nil)
        }
        return try tryOut(source, child)
    }

    /// Goes back to what held before; that is an update like another.
    mutating func back() throws(ControlError) -> UpdateOutcome {
        let child = try subject.child()
        try refuseWhileStopping(child)
        if let seen = try endInterrupted() { return UpdateOutcome(name, .back, shelf.book, seen: seen) }
        guard let before = shelf.book.before else {
            throw ControlError(
                .failed, "there is no earlier \(name) to go back to", hint: "see: nexusctl update --list")
        }
        if let damage = shelf.place.damage(of: before) {
            throw ControlError(.failed, damage, hint: "get that version anew, then: nexusctl update \(name) PATH")
        }
        defer { shelf.sweep() }
        return try tryOut(before, child)
    }

    private mutating func tryOut(
        _ source: AcceptedBook.Source, _ child: AgentChild
    ) throws(ControlError) -> UpdateOutcome {
        do throws(ControlError) { try subject.awaitStable(child) } catch {
            throw ControlError(
                error.code == .timeout ? .timeout : .failed,
                "\(spoken(source)) was not tried: \(error.message); \(spoken(shelf.book.current)) holds",
                hint: error.hint)
        }
        let before = child
        let child = try subject.child()
        try refuseWhileStopping(child)
        guard child.isMeantToRun || !before.isMeantToRun else { throw stopped(child) }
        let steps = shelf.book.steps(trying: source, run: child.status?.run)
        // The plan in force names the link: where that is to go, it stays until the plan is replaced as well.
        let isSearch = source == .search
        try shelf.perform(Array(isSearch ? steps.prefix(1) : steps[...]))
        let seen: String?
        var isBegun = false
        do throws(ControlError) {
            // What was written is what is to be run.
            if let damage = shelf.place.damage(of: source) { throw ControlError(.failed, damage) }
            if isSearch {
                try subject.awaitIdle()
                try shelf.perform(Array(steps.dropFirst()))
            }
            try subject.check(program(source))
            isBegun = true
            tell("\(spoken(source)) is tried in place of \(spoken(shelf.book.current))")
            let isTried = try subject.takeOver(program(source), isAtOnce: isSearch)
            if !isTried {
                isBegun = false
                guard !child.isMeantToRun else { throw stopped(child) }
            }
            seen = isTried ? try subject.canary() : nil
        } catch {
            throw try goBack(error, isBegun: isBegun)
        }
        try shelf.perform(shelf.book.steps(accepting: source))
        tell("\(spoken(source)) is accepted\(seen.map { ": " + $0 } ?? ", and was not tried")")
        return UpdateOutcome(name, .accepted, shelf.book, seen: seen)
    }

    /// What is stopped with its tree is not what does not run: it is not taken untried for that.
    private func refuseWhileStopping(_ child: AgentChild) throws(ControlError) {
        try refuseUnserved()
        guard child.report?.state == "stopping" else { return }
        throw ControlError(
            .failed, "nexusd is stopping, and nobody could try another \(name)",
            hint: "the same once it has started again")
    }

    /// Where nobody answers it may be that all goes on, under the nexusd that is yet to be started: what is not seen then is not what
    /// does not run.
    private func refuseUnserved() throws(ControlError) {
        do throws(ControlError) { _ = try place.connect() } catch {
            let mayGoOn = try place.locations().hasLife
            guard error.code == .notRunning, mayGoOn else { return }
            throw unserved
        }
    }

    private var unserved: ControlError {
        ControlError(
            .notRunning, "nexusd does not answer, and has not ended in order: what it started may go on",
            hint: "when one answers again: nexusctl update \(name) --back")
    }

    /// The child as nexusd has it now, for what is forgotten of a trial by that.
    /// - Parameter isIdle: it was found not to run, as one looks whose nexusd was killed meanwhile; nothing else is believed.
    private func served(isIdle: Bool = false) throws(ControlError) -> AgentChild {
        let child = try subject.child()
        guard child.report != nil || !child.locations.hasLife else { throw unserved }
        if isIdle, child.isMeantToRun { throw unserved }
        return child
    }

    /// What was stopped meanwhile is not what did not run, whose version is accepted without a trial.
    private func stopped(_ child: AgentChild) -> ControlError {
        ControlError(
            .failed, "\(child.name) was stopped before it could be tried", hint: "the same once it runs again")
    }

    /// Where the tree has to find it; nil: wherever a search does.
    private func program(_ source: AcceptedBook.Source) -> String? {
        source == .search ? nil : shelf.place.program
    }

    /// Says what was wrong, brings back what held, and returns all of it as the error to end with.
    /// - Parameter isBegun: false: it was refused before it was tried, and nobody is told of it later.
    private mutating func goBack(_ failure: ControlError, isBegun: Bool) throws(ControlError) -> ControlError {
        // Whoever broke it off gets what held before; that is bounded, and nothing cuts it short.
        place.interrupt = nil
        subject = Subject(place, options)
        let why = failure.message.hasSuffix(".") ? String(failure.message.dropLast()) : failure.message
        let (tried, held) = (spoken(shelf.book.trial), spoken(shelf.book.current))
        if !options.isQuiet {
            Output.complain(folded: "nexusctl: \(Terminal.clean("\(tried): \(why); back to \(held)"))")
        }
        tell("\(tried) is not kept: \(why); back to \(held)")
        let code: ControlError.Code = failure.code == .timeout ? .timeout : .failed
        do throws(ControlError) {
            let seen = try restore(isBegun ? why : nil)
            return ControlError(
                code, "\(tried) is not kept: \(why); \(held) holds\(seen.isEmpty ? "" : " again: " + seen)",
                hint: failure.hint ?? "see: nexusctl logs \(name), nexusctl events")
        } catch  where error.code == .notRunning {
            return ControlError(
                code, "\(tried) is not kept: \(why); \(error.message), so that it is on trial still", hint: error.hint)
        } catch {
            return ControlError(
                .failed,
                "\(tried) is not kept: \(why); \(held) holds again, and does not serve: \(error.message)",
                hint: "see: nexusctl why \(name); then: nexusctl update \(name) --back")
        }
    }

    /// Brings back what held. What was seen of it, in words; empty: nothing had come to run in its place.
    /// - Parameter why: nil: it was not tried.
    private mutating func restore(_ why: String?) throws(ControlError) -> String {
        try refuseUnserved()
        let (tried, held, run) = (shelf.book.trial, shelf.book.current, shelf.book.trialRun)
        let text = shelf.book.version(tried ?? .search)?.text ?? "?"
        let steps = shelf.book.steps(endingTrial: why.map { .init(text: text, why: $0, time: Self.now) })
        try shelf.perform(Array(steps.dropLast()))
        let status = try served().status
        var seen = ""
        if let status, status.run != run || status.state != "ready" {
            if try subject.takeOver(program(held), isAtOnce: true) {
                seen = try subject.canary()
            } else {
                _ = try served(isIdle: true)
                seen = "it does not run"
            }
        }
        // Last: until then whoever comes later begins with it again.
        try shelf.perform(Array(steps.suffix(1)))
        return seen
    }

    /// The same at a start. In words; nil: there was none, or its run goes on under this nexusd and is left to the next command.
    /// - Parameter isServed: nexusd was started; else it will be, what held before is what it runs, and that is all.
    mutating func settle(isServed: Bool) throws(ControlError) -> String? {
        guard let words = interruptedWords else { return nil }
        guard isServed else {
            let text = shelf.book.version(shelf.book.trial ?? .search)?.text ?? "?"
            try shelf.perform(shelf.book.steps(endingTrial: .init(text: text, why: Self.cutOff, time: Self.now)))
            shelf.sweep()
            return words
        }
        do throws(ControlError) {
            try refuseUnserved()
            let child = try subject.child()
            if let run = child.status?.run, child.report?.hasStarted(run) == false { return nil }
            _ = try endInterrupted()
            return words
        } catch {
            throw ControlError(
                error.code,
                "\(spoken(shelf.book.trial)) is run, whose trial was cut off, and it cannot be ended yet: \(error.message)",
                hint: error.hint ?? "then: nexusctl update \(name) --back")
        }
    }

    private static var cutOff: String { "its trial was cut off" }

    private var interruptedWords: String? {
        guard let trial = shelf.book.trial else { return nil }
        return "the trial of \(spoken(trial)) was cut off; \(spoken(shelf.book.current)) holds again"
    }

    /// Ends what a command that was killed has begun. Nil: there was none; else what was seen of what holds.
    private mutating func endInterrupted() throws(ControlError) -> String? {
        guard let words = interruptedWords else { return nil }
        if !options.isQuiet { Output.complain(folded: "nexusctl: \(Terminal.clean(words))") }
        tell(words)
        defer { shelf.sweep() }
        return try restore(Self.cutOff)
    }

    private func spoken(_ source: AcceptedBook.Source?) -> String {
        UpdateOutcome.spoken(source ?? .search, name, shelf.book)
    }

    /// Into nexusd's own log, where events are looked for; what cannot be said there is said here all the same.
    private func tell(_ words: String) {
        guard let connection = try? place.connect(), let child = try? subject.child().name else { return }
        let id = connection.request("note child:\(child) \(words)")
        _ = try? connection.answer(to: id, until: ControlConnection.now() + StatusQuestion.limitMilliseconds)
    }

    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
