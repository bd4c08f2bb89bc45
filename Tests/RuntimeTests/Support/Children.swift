import Foundation
import Plan
import SupervisorCore
import Wire

@testable import Runtime

/// A child that runs one verb of the fixture.
func child(
    _ name: String, _ verb: String..., policy: ChildPolicy = ChildPolicy(delay: .quick),
    readiness: Readiness = .spawned,
    worker: WorkerPlan? = nil, change: (inout ChildPlan) -> Void = { _ in }
) -> ChildPlan {
    var child = ChildPlan(
        name: name, policy: policy, executable: Built.fixture, arguments: [Text("fixture")] + verb.map { Text($0) },
        environment: [Variable(name: "PATH", value: Text("/usr/bin:/bin"))], noNewPrivileges: false,
        readiness: readiness, worker: worker)
    switch readiness {
    case .spawned: child.policy.ready = .spawned
    case .probe: child.policy.ready = .probed(interval: .milliseconds(50))
    case .notify, .descriptor, .bus, .logLine, .health, .done: child.policy.ready = .reported
    }
    child.policy.stop = StopRule(timeout: .seconds(5))
    change(&child)
    return child
}

/// A shell script as a child.
func script(_ name: String, _ text: String, change: (inout ChildPlan) -> Void = { _ in }) -> ChildPlan {
    child(name) { child in
        child.executable = "/bin/sh"
        child.arguments = [Text("sh"), Text("-c"), Text(text)]
        change(&child)
    }
}

/// log-writer, as nexus-config adds it.
var logWriter: ChildPlan {
    ChildPlan(
        name: "log-writer", role: .logWriter,
        policy: ChildPolicy(ready: .reported, stop: StopRule(drain: .seconds(5))), executable: Built.logWriter,
        arguments: [Text("log-writer"), Text("--directory"), Text("{state}"), Text("--no-journal")],
        environment: [Variable(name: "PATH", value: Text("/usr/bin:/bin"))], noNewPrivileges: false)
}

/// nexus-probe, as nexus-config adds it.
var prober: ChildPlan {
    ChildPlan(
        name: "nexus-probe", role: .prober,
        policy: ChildPolicy(delay: .quick, ready: .reported, stop: StopRule(drain: .seconds(1), timeout: .seconds(5))),
        executable: Built.prober, arguments: [Text("nexus-probe")], noNewPrivileges: false, readiness: .bus,
        worker: WorkerPlan(may: []))
}

extension DelayRule {
    /// For tests: what crashes is back at once.
    static let quick = DelayRule(first: .milliseconds(10), cap: .milliseconds(200), stableAfter: .milliseconds(50))
}

extension ControlPeer {
    /// The status of one child.
    func status(_ child: String) throws -> [String: Any] { try object("status \(child)") }

    func pid(_ child: String) throws -> Int32? { try status(child)["pid"] as? Int32 }

    func state(_ child: String) throws -> String { try status(child)["state"] as? String ?? "?" }

    /// How the latest run of a child ended, once one has. Not by its event: it may have ended before anybody subscribed.
    func end(of child: String) throws -> [String: Any] {
        var end: [String: Any]?
        try waitFor("the end of \(child)") {
            end = try status(child)["last_end"] as? [String: Any]
            return end != nil
        }
        return end ?? [:]
    }

    /// What nexusd counts of itself.
    func metrics(_ key: String) throws -> Any? { (try object("metrics")["nexusd"] as? [String: Any])?[key] }

    /// How often the loop has gone round.
    func turns() throws -> Int {
        ((try metrics("turns") as? [String: Any])?["counts"] as? [Int])?.reduce(0, +) ?? 0
    }

    /// Reads events of a subscription until one fits; the first event is asked for with `events` before.
    func event(
        _ id: FrameID, within limit: Duration = .seconds(20), where fits: ([String: Any]) -> Bool
    ) throws -> [String: Any] {
        while true {
            let frame = try next(within: limit)
            guard frame.header.id == id, frame.header.kind == .stream else { continue }
            let json = try JSONSerialization.jsonObject(with: Data(frame.payload)) as? [String: Any] ?? [:]
            if fits(json) { return json }
        }
    }

    /// Waits until this child is said to be ready in a run other than `run`.
    func ready(_ child: String, _ id: FrameID, after run: String?) throws -> String {
        let event = try event(id) {
            $0["message_id"] as? String == EventKind.ready.messageID && $0["child"] as? String == child
                && $0["run"] as? String != run
        }
        return event["run"] as? String ?? "?"
    }
}

/// Waits for something that no event tells of, as the state of a file.
func waitFor(_ what: String, within limit: Duration = .seconds(20), _ holds: () throws -> Bool) throws {
    let end = ContinuousClock.now + limit
    while try !holds() {
        guard ContinuousClock.now < end else { throw NotInTime(what: what) }
        usleep(5000)
    }
}

struct NotInTime: Error { let what: String }
