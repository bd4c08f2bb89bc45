import SupervisorCore
import System

/// nexusd's children that it did not start: as a subreaper it becomes the parent of every orphan below it. Nobody else
/// can reap them, so a number means one process until it has `ended`, and each has to be judged only once.
struct Orphans {
    /// Whose one is.
    enum Owner: Hashable {
        case run(RunID)
        /// Nothing tells whose: a stray.
        case nobody
    }

    private(set) var owners: [ProcessID: Owner] = [:]
    /// Adopted, and not looked at yet.
    private(set) var unjudged: Set<ProcessID> = []
    /// Whether the list of nexusd's children was read since the last of them was reaped.
    private var isListed = false
    /// Nobody's so far, with an environment that could not be read or was empty, as it is during execve(2) too: when they
    /// were looked at last, and how often.
    private var unclear: [ProcessID: (at: Instant, looks: UInt8)] = [:]

    /// Between two looks at one that is not clear, and how many there are.
    static let lookPause: Duration = .milliseconds(100)
    static let lookLimit: UInt8 = 3

    /// Reads the list of nexusd's children if it may have changed. `started` are those that are no orphans. In the usual
    /// case that is one count: as many as nexusd started and did not reap, and orphans that it knows. What cannot be read
    /// now stays as it is known.
    mutating func list(of supervisor: ProcessID, beside started: [ProcessID: RunID], _ kernel: any Kernel) {
        guard !isListed else { return }
        lookAgain(kernel)
        isListed = ProcessTable.childCount(of: supervisor, kernel) == started.count + owners.count + unjudged.count
        guard !isListed, let children = Self.children(of: supervisor, kernel) else { return }
        isListed = true
        let adopted = Set(children.filter { started[$0] == nil })
        unjudged = adopted.filter { owners[$0] == nil }
        // A foreign reaper is against the rules; what it took must not be taken for somebody's rest for ever.
        if owners.count + unjudged.count > adopted.count { owners = owners.filter { adopted.contains($0.key) } }
    }

    private static func children(of supervisor: ProcessID, _ kernel: any Kernel) -> [ProcessID]? {
        if let children = ProcessTable.children(of: supervisor, kernel) { return children }
        let all = ProcessTable(kernel).entries.values
        return all.isEmpty ? nil : all.filter { $0.parent == supervisor }.map(\.process)
    }

    private mutating func lookAgain(_ kernel: any Kernel) {
        guard !unclear.isEmpty else { return }
        let now = kernel.monotonic()
        for (orphan, look) in unclear where now - look.at >= Self.lookPause && owners[orphan] != nil {
            owners[orphan] = nil
            unjudged.insert(orphan)
        }
    }

    /// Orphans come without a word while their ancestors live: only another look tells.
    mutating func expectNews() { isListed = false }

    /// One that is to be judged now.
    mutating func next() -> ProcessID? { unjudged.popFirst() }

    mutating func judge(_ orphan: ProcessID, as owner: Owner) {
        owners[orphan] = owner
        unclear[orphan] = nil
    }

    /// It says nothing of itself, which may be for the moment only.
    mutating func judgeUnclear(_ orphan: ProcessID, at now: Instant) {
        let looks = (unclear[orphan]?.looks ?? 0) + 1
        owners[orphan] = .nobody
        unclear[orphan] = looks < Self.lookLimit ? (now, looks) : nil
    }

    /// A child was reaped, whoever it was. Its own orphans are nexusd's children from now on.
    mutating func ended(_ process: ProcessID) {
        isListed = false
        unclear[process] = nil
        if owners.removeValue(forKey: process) == nil { unjudged.remove(process) }
    }

    /// Those of one run.
    func of(_ run: RunID) -> [ProcessID] { owners.filter { $0.value == .run(run) }.map(\.key) }
}
