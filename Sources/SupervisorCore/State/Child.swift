/// All that the core remembers of one child.
struct Child: Sendable {
    /// Where it stands.
    var state = ChildState.off
    /// Since when, by the words of `Phase`.
    var since: Instant
    /// What the owner wants: the plan's `enabled` until a command chose otherwise.
    var wanted: Bool
    /// A restart by command: it goes down once, whoever wants it up.
    var isBouncing = false
    /// Its group restarts: it goes down once because a sibling failed.
    var isSwept = false
    /// What its last runs said is not written down yet: the next one waits.
    var isCrowded = false
    /// How many neighbours hold it back.
    var gates: Gates
    /// What its neighbours have been told of it.
    var facets: Facets = []
    /// Counts.
    var tally = Tally()
    /// Its restarts within the window of its intensity.
    var restarts = RestartWindow()
    /// How its last run ended.
    var lastEnd: EndRecord?
    /// Commands that wait for something of it.
    var waiters: [Waiter] = []
}

/// How many neighbours of a child hold it back, so that no event has to look at all of them.
struct Gates: Hashable, Sendable {
    /// Children it requires that do not serve.
    var unmet: UInt16
    /// Children it requires that go down on purpose or are given up; while there are any, it goes down too.
    var withdrawn: UInt16 = 0
    /// Those of them that do not come back by themselves; while there are any, nobody waits for it.
    var hopeless: UInt16 = 0
    /// Children it comes after that are still on their way.
    var unsettled: UInt16
    /// Children that must be empty before it is stopped.
    var trailing: UInt16 = 0
}

/// What the neighbours of a child must know of it.
struct Facets: OptionSet, Hashable, Sendable {
    let rawValue: UInt8

    /// It serves, or is done: what requires it may start.
    static let serves = Facets(rawValue: 1)
    /// It has come as far as it will for now: what comes after it may start.
    static let settled = Facets(rawValue: 2)
    /// It goes down on purpose or is given up: what requires it goes down.
    static let withdrawn = Facets(rawValue: 4)
    /// The same, and not just to restart: what requires it will not come either.
    static let hopeless = Facets(rawValue: 64)
    /// It runs and is to go down: what it requires or comes after waits with its own stop.
    static let trails = Facets(rawValue: 8)
    /// In a group with an order: it and all before it are settled.
    static let passed = Facets(rawValue: 16)
    /// In a group with an order: it or one after it trails.
    static let trailed = Facets(rawValue: 32)
}

/// Counts of a child.
package struct Tally: Hashable, Sendable {
    /// Unstable runs in a row; they lengthen the delay and park.
    package var unstable: UInt16 = 0
    /// Ends for want of a network in a row; they lengthen the delay only.
    package var network: UInt16 = 0
    /// Runs ended.
    package var ended: UInt32 = 0
    /// Runs executed after an end that nobody asked for.
    package var restarts: UInt32 = 0
    /// The next run that is executed is one of them: tries that came to no program stand between.
    package var owesRestart = false

    /// Nothing yet.
    package init() {}

    /// True when there is something to forget.
    var isTroubled: Bool { unstable > 0 || network > 0 }

    /// A stable run or a command: the next failure is the first.
    mutating func forget() {
        unstable = 0
        network = 0
    }
}

/// A number of the supervisor's own for a command that waits.
struct CommandKey: Hashable, Comparable, Sendable {
    let rawValue: UInt64

    static func < (left: CommandKey, right: CommandKey) -> Bool { left.rawValue < right.rawValue }
}

/// A command waits until a child is up, or down.
struct Waiter: Hashable, Sendable {
    let command: CommandKey
    let desire: Desire

    /// What a command wants of a child.
    enum Desire: Hashable, Sendable {
        /// Ready, or ended as done.
        case up
        /// The same; and where nothing but its exec shows that it is ready, there still a `shortLife` later.
        case upToStay
        /// Without a run.
        case down

        /// Whether it is to run.
        var isUp: Bool {
            switch self {
            case .up, .upToStay: true
            case .down: false
            }
        }
    }
}

/// A command that has not been answered yet.
struct PendingCommand: Hashable, Sendable {
    /// The shell's number.
    let id: CommandID
    /// Children it still waits for.
    var remaining: Int
}
