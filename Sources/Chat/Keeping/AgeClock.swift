import Foundation
import Glibc

/// Whether the age of sessions can be told by the wall clock, which decides what is deleted for good: a wrong reading is not to
/// do that. A leap of it is believed when chat-bridge has lived through a day by it, in one run or in several.
struct AgeClock: Hashable, Codable, Sendable {
    /// Milliseconds by which it may differ from what was lived through, or from when chat-bridge ran last.
    static let tolerance: Int64 = 86_400_000
    /// Milliseconds to be lived through.
    static let trial: Int64 = 86_400_000

    /// The last reading, in milliseconds since 1970.
    private(set) var last: Int64
    /// So much of the trial is over; nil: the clock is believed.
    private(set) var waited: Int64?
    /// The leap that began it; nil: no reading from before is known.
    private(set) var leap: Int64?

    /// The first reading there is.
    init(at now: Int64) {
        last = now
        waited = 0
    }

    var isBelieved: Bool { waited == nil }
    /// The last reading.
    var date: Date { Date(timeIntervalSince1970: Double(last) / 1000) }

    /// Another reading. `lived`: milliseconds since the one before it; nil: that was another run's.
    mutating func read(_ now: Int64, lived: Int64?) {
        let step = now - last - (lived ?? 0)
        last = now
        guard step.magnitude <= Self.tolerance.magnitude else {
            (waited, leap) = (0, step)
            return
        }
        guard let before = waited else { return }
        let whole = before + (lived ?? 0)
        (waited, leap) = whole < Self.trial ? (whole, leap) : (nil, nil)
    }

    /// For people; nil: there is nothing to say.
    var words: String? {
        leap.map { leap in
            let days = leap.magnitude / Self.tolerance.magnitude
            let time = days == 1 ? "1 day" : "\(days) days"
            // Nobody can tell the one from the other.
            let what =
                leap > 0
                ? "is \(time) ahead of when chat-bridge ran last: it was off for so long, or the clock was set"
                : "went back by \(time)"
            return
                "the clock \(what). [chat] max-age deletes nothing before chat-bridge has run for a day by it; see that the time is "
                + "right (timedatectl)"
        }
    }
}

/// Reads the clock, and keeps what is known of it beside the store: it belongs to the machine, and is in no backup.
struct AgeWatch {
    private let path: String
    private var clock: AgeClock?
    private var lastLook: ContinuousClock.Instant?

    init(_ file: StoreFile) {
        path = file.directory + "/clock"
        // What is not as it was written is not known.
        let kept = FileManager.default.contents(atPath: path)
        clock = kept.flatMap { try? JSONDecoder().decode(AgeClock.self, from: $0) }
            .flatMap { (0...1 << 53).contains($0.last) && (0...AgeClock.trial).contains($0.waited ?? 0) ? $0 : nil }
    }

    /// The clock as it is, with its reading.
    mutating func look() -> AgeClock {
        let (now, moment) = (ChatStore.milliseconds(), ContinuousClock.now)
        let lived = lastLook.map { Int64((moment - $0) / .milliseconds(1)) }
        lastLook = moment
        var read = clock ?? AgeClock(at: now)
        read.read(now, lived: lived)
        clock = read
        return read
    }

    /// Where that cannot be written the next run waits longer.
    func keep() {
        guard let data = try? JSONEncoder().encode(clock) else { return }
        let work = path + "-partial"
        try? FileManager.default.removeItem(atPath: work)
        guard FileManager.default.createFile(atPath: work, contents: data, attributes: [.posixPermissions: 0o600])
        else { return }
        if rename(work, path) != 0 { unlink(work) }
    }
}
