import ControlClient
import SupervisorCore
import System

/// Looks at a child until another run of it is ready, or is not going to be.
final class UpdateWatch {
    private let child: String
    private let connection: ControlConnection
    private let events: EventStream
    /// How it was when this began to look, by the nexusd that it looks at.
    let begun: ChildStatus
    /// Runs that are not what is waited for.
    private var old: Set<String> = []
    private static let wished: Set<String> = ["asked", "dependency", "recycled"]
    /// A second look each second covers what has no event.
    private static let lookMilliseconds: Int64 = 1000

    /// Made before the command, so that nothing of what follows is missed.
    init(_ child: String, _ place: Place) throws(ControlError) {
        self.child = child
        connection = try place.connect()
        events = try EventStream(place.connect())
        begun = ChildStatus(try ControlConnection.json(StatusQuestion.ask(connection, child: child)))
        leaveOut(begun)
    }

    /// What runs now, and what ended last, is not waited for.
    func leaveOut() throws(ControlError) { leaveOut(try status()) }

    private func leaveOut(_ now: ChildStatus) { old.formUnion([now.run, now.lastEnd?.run].compactMap { $0 }) }

    /// The same of what ended last alone.
    func leaveOutEnd() throws(ControlError) {
        if let run = try status().lastEnd?.run { old.insert(run) }
    }

    func status() throws(ControlError) -> ChildStatus {
        ChildStatus(try ControlConnection.json(StatusQuestion.ask(connection, child: child)))
    }

    /// Until the run that was there is ready no more; false: the time is over.
    func untilLeft(_ run: String?, until deadline: Int64?) throws(ControlError) -> Bool {
        while true {
            let now = try status()
            if now.run != run || now.state != "ready" { return true }
            guard try wait(until: deadline) else { return false }
        }
    }

    /// Until the run after that one is ready, or is over; returns also when the time is.
    func untilSucceeded(_ run: String?, until deadline: Int64) throws(ControlError) {
        while true {
            let now = try status()
            if let end = now.lastEnd, !old.contains(end.run), end.run != run { return }
            if now.run != run, now.state == "ready" { return }
            guard try wait(until: deadline) else { return }
        }
    }

    /// Until nothing is left of a run, whether it was ready or not; false: the time is over.
    func untilEnded(_ run: String, until deadline: Int64) throws(ControlError) -> Bool {
        while try status().run == run {
            guard try wait(until: deadline) else { return false }
        }
        return true
    }

    /// Until a run that is not left out is ready; the error says what became of it instead.
    func untilReady(executable: String?, until deadline: Int64) throws(ControlError) -> ChildStatus {
        while true {
            let now = try status()
            let isNew = now.run.map { !old.contains($0) } ?? false
            if now.state == "ready", isNew, executable == nil || now.executable == executable { return now }
            if ["parked", "off", "unkillable", "done"].contains(now.state) {
                throw ControlError(.failed, "\(child) is \(now.state): \(now.words)")
            }
            if let end = now.lastEnd, !old.contains(end.run), !Self.wished.contains(end.cause) {
                throw ControlError(
                    .failed, "its run ended: \(end.exit)\(end.detail.map { ", " + $0 } ?? "") (\(end.cause))")
            }
            guard try wait(until: deadline) else {
                throw ControlError(.failed, "it was not ready in time: it is \(now.state) (\(now.words))")
            }
        }
    }

    /// Something happened, or a second passed; false: the time is over.
    func wait(until deadline: Int64?) throws(ControlError) -> Bool {
        let now = ControlConnection.now()
        if let deadline, now >= deadline { return false }
        _ = try events.next(until: min(deadline ?? .max, now + Self.lookMilliseconds))
        return true
    }
}
