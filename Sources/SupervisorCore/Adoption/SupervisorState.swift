/// All that a supervisor remembers beside its tree: what is left of it is enough to go on (`Supervisor.init(restoring:)`).
///
/// Not in it is what can be worked out anew (gates, facets, deadlines), what the shell says anew (the times of calendars),
/// and commands: who asked went with the shell that heard them.
public struct SupervisorState: Hashable, Sendable {
    /// The tree as a whole.
    package var tree: TreeMemory
    /// By `ChildID`: `children[n - 1]`.
    package var children: [ChildMemory]

    /// Both.
    package init(tree: TreeMemory, children: [ChildMemory]) {
        self.tree = tree
        self.children = children
    }
}

/// What is remembered of the tree as a whole.
package struct TreeMemory: Hashable, Sendable {
    package var life: Supervisor.Life
    /// When the patience with the log-writer ends, while there is any.
    package var patience: Instant?
    package var leavesRest: Bool
    package var farewells: UInt8
    /// Runs so far: ids are never given twice.
    package var runCount: UInt32
    /// By child, in the order of their numbers.
    package var choices: [ChildChoice]
    /// By `GroupID`.
    package var groups: [GroupMemory]

    /// An owner's choice.
    package struct ChildChoice: Hashable, Sendable {
        package var child: ChildID
        package var choice: Choice

        package init(child: ChildID, choice: Choice) {
            self.child = child
            self.choice = choice
        }
    }

    package init(
        life: Supervisor.Life, patience: Instant?, leavesRest: Bool, farewells: UInt8, runCount: UInt32,
        choices: [ChildChoice], groups: [GroupMemory]
    ) {
        self.life = life
        self.patience = patience
        self.leavesRest = leavesRest
        self.farewells = farewells
        self.runCount = runCount
        self.choices = choices
        self.groups = groups
    }
}

/// What is remembered of one group.
package struct GroupMemory: Hashable, Sendable {
    package var state: Group.State
    /// Restarts within the window of its intensity, the oldest first.
    package var restarts: [Instant]

    package init(state: Group.State, restarts: [Instant]) {
        self.state = state
        self.restarts = restarts
    }
}

/// What is remembered of one child.
package struct ChildMemory: Hashable, Sendable {
    package var state: ChildState
    package var since: Instant
    package var wanted: Bool
    package var isBouncing: Bool
    package var isSwept: Bool
    package var isCrowded: Bool
    package var tally: Tally
    /// Restarts within the window of its intensity, the oldest first.
    package var restarts: [Instant]
    package var lastEnd: EndRecord?
    /// How its run is stopped, where that is not what the tree says.
    package var oldStop: StopRule?
    package var timetable: TimetableMemory?

    package init(
        state: ChildState, since: Instant, wanted: Bool, isBouncing: Bool, isSwept: Bool, isCrowded: Bool,
        tally: Tally, restarts: [Instant], lastEnd: EndRecord?, oldStop: StopRule?, timetable: TimetableMemory?
    ) {
        self.state = state
        self.since = since
        self.wanted = wanted
        self.isBouncing = isBouncing
        self.isSwept = isSwept
        self.isCrowded = isCrowded
        self.tally = tally
        self.restarts = restarts
        self.lastEnd = lastEnd
        self.oldStop = oldStop
        self.timetable = timetable
    }
}

/// What is remembered of a child that the clock starts; its rule is the tree's.
package struct TimetableMemory: Hashable, Sendable {
    package var next: Instant?
    package var skipped: UInt32
    package var lastSecond: Int64
    package var lastStart: Instant?

    package init(next: Instant?, skipped: UInt32, lastSecond: Int64, lastStart: Instant?) {
        self.next = next
        self.skipped = skipped
        self.lastSecond = lastSecond
        self.lastStart = lastStart
    }
}

/// Why a state is no state of this tree.
public struct StateMisfit: Error, Hashable, Sendable, CustomStringConvertible {
    /// In words that go on a sentence: `it is one of 3 children, and the plan has 4`.
    public let description: String

    init(_ words: String) { description = words }
}
