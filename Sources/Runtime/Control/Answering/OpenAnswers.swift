import SupervisorCore
import Wire

/// Requests to nexusd itself that are not finished: what was asked, by whom, under which id of the bus.
struct OpenAnswers {
    /// One of them.
    struct Entry {
        let id: FrameID
        let requester: PeerID
        var kind: Kind
    }

    /// What it waits for.
    enum Kind {
        /// A command that is under way in the core, in the words of its request.
        case command(CommandID, words: String)
        /// A reload that is under way in the core; its answer is a stream of which the difference was sent.
        case reload(CommandID)
        /// The program that is installed now, before it takes over.
        case upgrade
        /// Children that are not ready yet.
        case ready([ChildID])
        /// An answer about every child of which this many children were sent.
        case listing(Listing, sent: Int)
        /// A subscription, and how many events it missed since the last one it got.
        case events(missed: UInt64)
        /// `why`, which waits for the last lines of a run from log-writer until the instant.
        case lastLines(ChildID, RunID, tag: UInt32, until: Instant)
    }

    private(set) var entries: [Entry] = []

    /// Requests of one requester that may wait at a time. So few that going through all of them is cheap.
    static let limitPerRequester = 16

    var isEmpty: Bool { entries.isEmpty }

    /// Whether one more of this requester's may wait.
    func hasRoom(for requester: PeerID) -> Bool {
        entries.count { $0.requester == requester } < Self.limitPerRequester
    }

    var hasSubscribers: Bool {
        entries.contains { if case .events = $0.kind { true } else { false } }
    }

    /// Whether a listing is under way for a requester of whom this is true.
    func hasListing(_ matches: (PeerID) -> Bool) -> Bool {
        entries.contains { entry in
            if case .listing = entry.kind { matches(entry.requester) } else { false }
        }
    }

    mutating func add(_ id: FrameID, from requester: PeerID, _ kind: Kind) {
        entries.append(Entry(id: id, requester: requester, kind: kind))
    }

    /// Nobody waits for this one any more.
    mutating func forget(_ id: FrameID) { entries.removeAll { $0.id == id } }

    /// Goes through them; `body` may change an entry, and returns true when it is finished.
    mutating func settle(_ body: (inout Entry) -> Bool) {
        var index = 0
        while index < entries.count {
            if body(&entries[index]) { entries.remove(at: index) } else { index += 1 }
        }
    }

    /// Takes the one that waits for this command.
    mutating func take(_ command: CommandID) -> Entry? {
        let index = entries.firstIndex {
            switch $0.kind {
            case .command(command, _), .reload(command): true
            case .command, .reload, .upgrade, .ready, .listing, .events, .lastLines: false
            }
        }
        return index.map { entries.remove(at: $0) }
    }

    /// Takes the one that waits for an upgrade.
    mutating func takeUpgrade() -> Entry? {
        let index = entries.firstIndex { if case .upgrade = $0.kind { true } else { false } }
        return index.map { entries.remove(at: $0) }
    }

    /// Takes the one that waits for these lines.
    mutating func take(lastLines tag: UInt32) -> Entry? {
        let index = entries.firstIndex {
            if case .lastLines(_, _, tag, _) = $0.kind { true } else { false }
        }
        return index.map { entries.remove(at: $0) }
    }

    /// The earliest instant at which one of them gives up waiting.
    var deadline: Instant? {
        entries.lazy.compactMap { entry -> Instant? in
            if case .lastLines(_, _, _, let until) = entry.kind { until } else { nil }
        }.min()
    }
}
