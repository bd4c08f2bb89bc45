import Chat
import ChatWeb
import Synchronization
import WorkerKit

/// The one line of `nexusctl status`, sent when it changes.
struct StatusLine: Sendable {
    private let store: ChatStore
    private let bus: Bus
    private let shown = Shown()

    // A class because a Mutex cannot be copied, and this value is shared by the runner, the page and the start.
    private final class Shown: Sendable {
        struct Parts {
            var summary: TurnRunner.Summary?
            var web: WebServer.State?
            var stray = 0
            var trouble: String?
            var files: String?
            var clock: String?
            var line = ""
        }
        let parts = Mutex(Parts())
    }

    init(store: ChatStore, bus: Bus) {
        self.store = store
        self.bus = bus
    }

    /// How the turns are now.
    func tell(_ summary: TurnRunner.Summary) { tell { $0.summary = summary } }

    /// So many files of messages may be of a store that is missing.
    func tell(stray: Int) { tell { $0.stray = stray } }

    /// Why the store cannot be written; nil: it can.
    func tell(trouble: String?) { tell { $0.trouble = trouble } }

    /// Why files cannot be attached; nil: they can.
    func tell(files: String?) { tell { $0.files = files } }

    /// Why no session goes for its age; nil: there is no such reason.
    func tell(clock: String?) { tell { $0.clock = clock } }

    /// How the page is now.
    func tell(_ web: WebServer.State) { tell { $0.web = web } }

    private func tell(_ change: (inout Shown.Parts) -> Void) {
        // Sent while the lock is held: of two changes at once the older line would else be the one that stays.
        shown.parts.withLock { parts in
            change(&parts)
            let line = words(parts)
            guard line != parts.line else { return }
            parts.line = line
            bus.status(line)
        }
    }

    private func words(_ shown: Shown.Parts) -> String {
        var parts = shown.trouble.map { [$0] } ?? []
        if let aside = store.movedAside {
            parts.append(
                store.damage == nil
                    ? "a damaged store is kept as \(aside)"
                    : "began anew: the damaged store is kept as \(aside), and devices are to be paired again")
        }
        if let lost = store.lostLog, store.movedAside == nil, !store.isMissing { parts.append(lost) }
        if store.isMissing { parts.append("began anew: \(store.path) is gone, and devices are to be paired again") }
        if shown.stray > 0 {
            parts.append("\(shown.stray) file(s) in \(store.attachmentDirectory) are of a store that is missing")
        }
        if let files = shown.files { parts.append(files) }
        if let clock = shown.clock { parts.append(clock) }
        if let summary = shown.summary {
            if summary.running > 0 {
                parts.append("\(summary.running) turn\(summary.running == 1 ? "" : "s") with the agent")
            }
            if summary.queued > 0 { parts.append("\(summary.queued) queued") }
            parts.append(summary.agentIsAway ?? "the agent takes turns")
        }
        switch shown.web {
        case nil, .starting: break
        case .serving(_, let place): parts.append("page at \(place)")
        case .away(let why): parts.append("no page: \(why)")
        }
        return parts.joined(separator: "; ")
    }
}
