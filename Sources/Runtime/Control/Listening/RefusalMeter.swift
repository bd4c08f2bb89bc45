import SupervisorCore

/// Keeps somebody who knocks all day from filling the log: one refusal a second is told, with how many were not.
struct RefusalMeter {
    static let interval: Duration = .seconds(1)

    private var next = Instant(nanoseconds: .min)
    private var untold = 0
    /// All of them, told or not.
    private(set) var total: UInt64 = 0

    /// How many were kept back since the last one told; nil: this one is kept back too.
    mutating func take(at now: Instant) -> Int? {
        total += 1
        guard now >= next else {
            untold += 1
            return nil
        }
        defer { untold = 0 }
        next = now + Self.interval
        return untold
    }

    /// What a line says of those that were kept back; empty: there were none.
    static func words(_ untold: Int) -> String {
        untold > 0 ? " \(untold) more were refused since the last such line." : ""
    }
}

/// A meter for each who asks and is refused: a worker, over all of its runs, and a user of the control socket, over all of its
/// connections. So nobody fills the log, or hides in it what others did.
struct RefusalMeters {
    enum Asker: Hashable {
        case worker(ChildID)
        case user(UInt32)
    }

    /// Askers with a meter of their own; those beyond share one.
    static let limit = 256

    private var meters: [Asker: RefusalMeter] = [:]
    private var others = RefusalMeter()

    /// As RefusalMeter's.
    mutating func take(_ asker: Asker, at now: Instant) -> Int? {
        guard meters[asker] != nil || meters.count < Self.limit else { return others.take(at: now) }
        return meters[asker, default: RefusalMeter()].take(at: now)
    }
}
