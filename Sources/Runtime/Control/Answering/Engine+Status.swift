import Plan
import SupervisorCore
import System
import Wire

extension Engine {
    private var statusWriter: StatusWriter { StatusWriter(plan: plan, now: now, treeEndsSince: shutdownBegan) }

    func status(of child: ChildID) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        var view = core.view(of: child)
        // Its exec may have less time than its start.
        if let end = executionEnd(of: child) { view.until = end }
        let guarantee = surroundings.containment.guarantee(user: plan.traits(child).identity?.uid)
        statusWriter.write(
            child, view, self[child], choices[child], guarantee, awaits: awaits(child, view.phase),
            startsAgain: view.phase == .stopping && explanation(of: child).startsAgain,
            recycling: view.phase == .ready ? recycling(of: child) : nil, into: &json)
        return json.bytes
    }

    private func awaits(_ child: ChildID, _ phase: Phase) -> String? {
        switch phase {
        case .waiting, .starting, .stopping: explanation(of: child).awaits
        case .off, .scheduled, .delayed, .ready, .unkillable, .parked, .done: nil
        }
    }

    /// Everything up to the first child.
    func statusHead() -> [UInt8] { statusWriter.head(view, groups: groupStates) }

    /// Strays that are named in an answer.
    private static let shownStrays = 64

    /// The children of the file in its order, then those that were removed and are not gone yet.
    var listedCount: Int { names.shown.children.count + leaving.count }

    func listedChild(_ place: Int) -> ChildID {
        let shown = names.shown.children
        return place < shown.count ? shown[place] : leaving[place - shown.count]
    }

    private var view: SupervisorView {
        let strays = surroundings.containment.strays()
        return SupervisorView(
            pid: kernel.processID().rawValue, second: surroundings.second, uptime: now - started, state: state,
            ready: board.isReady,
            exactContainment: surroundings.containment.guarantee == .exact, config: surroundings.config,
            plan: runsLastGood ? lastGood : surroundings.config, directories: surroundings.directories,
            notes: notes + logNotes + [unrecorded, refusedReload].compactMap { $0 },
            strays: strays.prefix(Self.shownStrays).map {
                SupervisorView.Stray(
                    pid: $0.process.rawValue, name: $0.name, child: surroundings.containment.child(of: $0))
            }, strayCount: strays.count)
    }

    /// What keeps the logs from being whole, while it does.
    private var logNotes: [String] {
        var notes: [String] = []
        if outputGuard.isWorthSaying {
            notes.append(
                "no log-writer serves: what children say waits in their pipes; after 5 s it is discarded and counted"
                    + " (`nexusctl why log-writer`)")
        }
        if let note = unfiled.note { notes.append(note) }
        if !bookTrouble.isEmpty { notes.append(bookTrouble) }
        if journal.isJournaldAway {
            notes.append("journald takes nothing: what children say is in the files only, until it is back")
        }
        return notes
    }

    var state: SupervisorView.State {
        shutdownLevel > 0 || significantStatus != nil ? .stopping : board.hasStarted ? .running : .starting
    }

    private var groupStates: [StatusWriter.GroupState] {
        names.shown.groups.map(state)
    }

    func state(of group: GroupID) -> StatusWriter.GroupState {
        if let retry = core.parked(group) { return .parked(retry: retry) }
        let isOff = plan.groups[Int(group.rawValue)].policy.children.allSatisfy { core.view(of: $0).phase == .off }
        return isOff ? .stopped : .running
    }

    /// One element of `groups`.
    func status(of group: GroupID) -> [UInt8] {
        var json = JSONWriter(capacity: 256)
        statusWriter.write(plan.groups[Int(group.rawValue)], state(of: group), into: &json)
        return json.bytes
    }

    func tree() -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { json in
            json.array("groups") { json in
                for group in names.shown.groups.map({ plan.groups[Int($0.rawValue)] }) {
                    json.object { json in
                        json.field("name", group.name)
                        json.field("strategy", group.policy.strategy.words)
                        json.array("children") { json in
                            for child in group.policy.children { json.value(names[child]) }
                        }
                    }
                }
            }
            json.array("children") { json in for child in names.shown.children { write(child, into: &json) } }
        }
        return json.bytes
    }

    private func write(_ child: ChildID, into json: inout JSONWriter) {
        let policy = plan.policy(child)
        json.object { json in
            json.field("name", names[child])
            json.field("group", policy.group.map { names[$0] })
            json.field("state", core.view(of: child).phase.rawValue)
            json.field("critical", policy.critical)
            json.array("requires") { json in for other in policy.requires { json.value(names[other]) } }
            json.array("after") { json in for other in policy.after { json.value(names[other]) } }
        }
    }
}
