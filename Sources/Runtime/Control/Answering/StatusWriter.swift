import Plan
import SupervisorCore
import Wire

/// What `status` says of nexusd itself.
struct SupervisorView {
    var pid: Int32
    /// CLOCK_REALTIME in whole seconds at the start.
    var second: UInt32
    /// Since then, by the monotonic clock: the wall clock may have been set.
    var uptime: Duration
    var state: State
    var ready: Bool
    var exactContainment: Bool
    var config: String
    /// What the tree runs by, where `config` was refused.
    var plan: String
    var directories: Directories
    var notes: [String]
    /// The first of them, and how many there are.
    var strays: [Stray]
    var strayCount: Int

    enum State: String {
        case starting, running, stopping
    }

    struct Stray: Hashable {
        var pid: Int32
        var name: String
        /// Whose it was, when its environment still says so.
        var child: String?
    }
}

/// Writes the JSON of docs/status.schema.json piece by piece, so that an answer about a thousand children is never
/// whole in memory.
struct StatusWriter {
    let plan: PlanBook
    let now: Instant
    /// Since when the tree is being ended.
    var treeEndsSince: Instant?

    private var names: TreeNames { plan.names }

    /// Everything up to the first child.
    func head(_ view: SupervisorView, groups: [GroupState]) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { json in
            json.field("version", NexusVersion.current)
            json.field("pid", view.pid)
            json.field("instance", String(view.second, radix: 16))
            json.field("started", timestamp(second: Int64(view.second)))
            json.field("uptime_ms", view.uptime.wholeMilliseconds)
            json.field("state", view.state.rawValue)
            json.field("ready", view.ready)
            json.field("uid_wall", plan.supervisor.uidWall)
            json.field("guarantee", view.exactContainment ? "exact" : "whole tree only")
            json.field("config", view.config)
            json.field("in_force", view.plan)
            json.field("state_directory", view.directories.state)
            json.field("runtime_directory", view.directories.runtime)
            json.array("notes") { json in for note in view.notes { json.value(note) } }
            json.array("strays") { json in
                for stray in view.strays {
                    json.object {
                        $0.field("pid", stray.pid)
                        $0.field("name", stray.name)
                        $0.field("child", stray.child)
                    }
                }
            }
            json.field("stray_count", view.strayCount)
            json.array("groups") { json in
                for (group, state) in zip(names.shown.groups, groups) {
                    write(plan.groups[Int(group.rawValue)], state, into: &json)
                }
            }
        }
        return json.bytes.dropLast() + Array(",\"children\":[".utf8)
    }

    /// What follows the last child.
    static let tail = Array("]}".utf8)

    /// Where a group stands.
    enum GroupState: Hashable {
        case running
        case stopped
        case parked(retry: Instant?)
    }

    /// One group.
    func write(_ group: GroupPlan, _ state: GroupState, into json: inout JSONWriter) {
        json.object { json in
            json.field("name", group.name)
            json.field("strategy", group.policy.strategy.words)
            json.array("children") { json in for child in group.policy.children { json.value(names[child]) } }
            switch state {
            case .running:
                json.field("state", "running")
                json.null("next_try_ms")
            case .stopped:
                json.field("state", "stopped")
                json.null("next_try_ms")
            case .parked(let retry):
                json.field("state", "parked")
                json.field("next_try_ms", retry.map { ($0 - now).wholeMilliseconds })
            }
        }
    }

    /// One child. `awaits`: what it waits for, in words; `startsAgain`: when it is stopped; `recycling`: its run is to be
    /// replaced.
    func write(
        _ child: ChildID, _ view: ChildView, _ cell: ChildCell, _ choice: Choice?,
        _ guarantee: Containment.Guarantee, awaits: String?, startsAgain: Bool, recycling: Recycling?,
        into json: inout JSONWriter
    ) {
        let (traits, policy) = (plan.traits(child), plan.policy(child))
        json.object { json in
            json.field("name", names[child])
            json.field("group", policy.group.map { names[$0] })
            json.field("worker", traits.worker != nil)
            json.field("enabled", policy.enabled)
            json.field("choice", choice?.word)
            json.field("removed", !plan.isShown(child))
            json.field("state", view.phase.rawValue)
            json.field("since_ms", (now - view.since).wholeMilliseconds)
            json.field("pid", cell.process?.rawValue)
            json.field("run", view.run?.description)
            json.field("user", traits.identity?.user)
            json.field("guarantee", guarantee.rawValue)
            json.field("cause", view.cause?.rawValue)
            json.field("waits_for", view.waitsFor.map { names[$0] })
            json.field("awaits", awaits)
            json.field("limit_ms", view.until.map { ($0 - now).wholeMilliseconds })
            if let recycling { recycling.write(at: now, into: &json) } else { json.null("recycle") }
            let isStartersOwn = !policy.enabled && (choice == .on || choice == nil && view.phase == .off)
            let starter = isStartersOwn ? plan.starters(of: child).first : nil
            json.field("started_by", starter.map { names[$0] })
            json.field("stopped_with_tree", view.isStopped(withTreeEndingSince: treeEndsSince, choice))
            json.field("starts_again", startsAgain)
            json.field("next_try_ms", view.nextTry.map { ($0 - now).wholeMilliseconds })
            json.field("scheduled", view.isScheduled)
            json.field("skipped_runs", view.skippedRuns)
            json.field("restarts", view.restarts)
            json.field("unstable_runs", view.unstableRuns)
            // Of the one that said it: who is gone says nothing of now.
            json.field("status", view.run == nil ? nil : cell.status)
            json.field("health", cell.health)
            json.object("values") { json in for capture in cell.captures { json.field(capture.name, capture.value) } }
            json.object("log") { json in
                let counts = cell.logTally?.counts ?? LogCounts()
                json.field("lines", counts.lines)
                json.field("bytes", counts.bytes)
                json.field("suppressed", counts.suppressed)
                json.field("dropped", counts.dropped)
                json.field("missing_in_journal", counts.missingInJournal)
            }
            json.field("executable", plan.executable(child))
            if let end = view.lastEnd {
                write(end, cell, into: &json)
            } else {
                json.null("last_end")
            }
        }
    }

    private func write(_ end: EndRecord, _ cell: ChildCell, into json: inout JSONWriter) {
        let usage = cell.usage?.usage(of: end.run) ?? RunUsage()
        json.object("last_end") { json in
            json.field("run", end.run.description)
            json.field("cause", end.cause.rawValue)
            json.field("exit", end.exit?.words ?? "still there")
            json.field("detail", cell.remark.flatMap { $0.run == end.run ? $0.words : nil })
            json.field("code", end.exit?.code)
            json.field("signal", end.exit?.signal)
            json.field("ran_ms", (end.ended - end.started).wholeMilliseconds)
            json.field("ended_ms_ago", (now - end.ended).wholeMilliseconds)
            json.field("cpu_ms", usage.cpu?.wholeMilliseconds)
            json.field("peak_bytes", usage.peakBytes)
        }
    }
}
