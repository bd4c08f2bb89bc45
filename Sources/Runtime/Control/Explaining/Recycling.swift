import Plan
import SupervisorCore
import Wire

/// A run that is ready is to be replaced by a fresh one: why, and what that waits for.
struct Recycling {
    /// Bytes it has grown above; nil: an owner asked.
    let above: UInt64?
    /// Only then has it been ready for `stable-after`.
    let notBefore: Instant
    /// Then it is replaced, idle or not.
    let until: Instant
    /// Somebody says when it is idle: itself on the bus, or a worker that may restart it.
    let isWatched: Bool

    /// - Parameters:
    ///   - growth: when it had grown above `rule`.
    ///   - wish: until when an owner is ready to wait for its being idle.
    init?(
        growth: Instant?, wish: Instant?, rule: RecycleRule?, ready: Instant?, stableAfter: Duration, isWatched: Bool
    ) {
        guard let ready else { return nil }
        notBefore = ready + stableAfter
        self.isWatched = isWatched
        if let wish {
            above = nil
            until = wish
        } else if let growth, let rule {
            above = rule.above
            until = max(growth + rule.patience, notBefore)
        } else {
            return nil
        }
    }

    /// Whether `stable-after` is what it waits for, or the least of it.
    func waitsToBeStable(at now: Instant) -> Bool { notBefore > now && (isWatched || until == notBefore) }

    /// One sentence, which names the keys that decide.
    func words(at now: Instant, stableAfter: Duration, name: String) -> String {
        let why =
            above.map { "it has grown above \(byteWords($0)) (`memory.recycle`)" } ?? "an owner asked for a fresh run"
        let stable = "it has been ready for \(stableAfter.words) (`delay.stable-after`), in \((notBefore - now).words)"
        guard until > notBefore else { return "\(why), and is replaced when \(stable)" }
        let least = notBefore > now ? ", not before \(stable)" : ""
        let left = max(.zero, until - now).words
        let within = above == nil ? "" : " (`memory.recycle-within`)"
        return isWatched
            ? "\(why), and is replaced when it is idle\(least), in \(left) at the latest\(within)"
            : "\(why), and is replaced in \(left)\(within): no worker may say when it is idle (`restart:\(name)`)"
    }

    /// For `status`.
    func write(at now: Instant, into json: inout JSONWriter) {
        json.object("recycle") { json in
            json.field("above_bytes", above)
            json.field("not_before_ms", max(.zero, notBefore - now).wholeMilliseconds)
            json.field("within_ms", max(.zero, until - now).wholeMilliseconds)
            json.field("when_idle", isWatched && until > notBefore)
        }
    }
}
