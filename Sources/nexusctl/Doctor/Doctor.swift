import ControlClient
import Wire
import Glibc
import System

/// Looks at everything in turn. Nothing it meets stops it: what cannot be looked at is a finding too.
struct Doctor {
    let place: Locations
    /// The same as it was asked for.
    let asked: Place
    let kernel = LiveKernel()
    /// nexusd's answer; nil when there is none.
    let report: StatusReport?
    private let refusal: ControlError?
    /// The uid that nexusd runs as, or would.
    let user: UInt32
    /// Where that is another one than the caller's.
    let look: NexusdsLook?

    init(_ asked: Place) throws(ControlError) {
        place = try asked.locations()
        self.asked = asked
        do throws(ControlError) {
            let connection = try ControlConnection(socket: place.controlSocket)
            report = try StatusQuestion.report(connection)
            user = connection.serverUid ?? geteuid()
            look = NexusdsLook(connection)
            refusal = nil
        } catch {
            report = nil
            // Whoever is refused still sees whose the socket is, or the directory that hides it.
            user =
                ([place.controlSocket, place.runtime].lazy
                .compactMap { [kernel] in try? kernel.status($0, followingLinks: false) }.first)?.user ?? geteuid()
            look = nil
            refusal = error
        }
    }

    /// Everything, the most important first.
    func findings() -> [Finding] {
        supervisor() + children() + configuration() + places() + book() + machine() + programs()
    }

    private func supervisor() -> [Finding] {
        guard let report else {
            return [Finding(.bad, "nexusd", refusal?.message ?? "does not answer", remedy: refusal?.hint)]
        }
        var findings = [Finding(.ok, "nexusd", "answers, pid \(report.pid), \(report.state)")]
        if report.version == NexusVersion.current {
            findings.append(Finding(.ok, "version", "nexusd and nexusctl are both \(report.version)"))
        } else {
            findings.append(
                Finding(
                    .warn, "version", "nexusd is \(report.version), nexusctl is \(NexusVersion.current)",
                    remedy: "have it go on as what is installed: nexusctl upgrade"))
        }
        if report.guarantee == "exact" {
            findings.append(Finding(.ok, "containment", "exact: every run has a cgroup of its own"))
        } else {
            findings.append(
                Finding(
                    .warn, "containment",
                    "\(report.guarantee): what leaves its run is ended only at shutdown\(Self.reason(in: report.notes))",
                    remedy: delegation))
        }
        if !report.uidWall {
            findings.append(
                Finding(
                    .warn, "uid wall", "off: every child runs as nexusd's own user and can read what that may read",
                    remedy: geteuid() == 0
                        ? "give children `user = …`" : "run nexusd as root and give children `user = …`"))
        }
        if let words = report.unwalledWords {
            findings.append(
                Finding(
                    .warn, "uid wall", "has gaps: \(words) as nexusd's own user",
                    remedy: "give every child a `user = …`"))
        }
        // What findings above say is not said again.
        let known = ["the uid wall is off", Self.descentNote]
        return findings + report.notes.filter { note in !known.contains { note.hasPrefix($0) } }.map(note)
    }

    /// As this machine can give it, and to whom nexusd belongs.
    private var delegation: String {
        guard (try? kernel.status("/run/systemd/system", followingLinks: true)) != nil else {
            return "give nexusd a cgroup v2 of its own that it may write, as docs/containment.md has it"
        }
        let whose = user == 0 ? "" : " --user"
        return "give nexusd a delegated cgroup: Delegate=yes in its unit, or"
            + " `systemd-run\(whose) --scope -p Delegate=yes nexusd …`"
    }

    private static let descentNote = "children are contained by descent only: "

    /// Why there is no cgroup, from nexusd's note.
    private static func reason(in notes: [String]) -> String {
        notes.first { $0.hasPrefix(descentNote) }.map { " (\($0.dropFirst(descentNote.count)))" } ?? ""
    }

    private func note(_ note: String) -> Finding {
        if note.hasPrefix("no log-writer serves") {
            return Finding(.bad, "logs", note, remedy: "nexusctl why log-writer")
        }
        if note.contains(" is not filed") { return Finding(.bad, "logs", note) }
        // An upgrade that went well.
        if note.contains(" went on in place of ") { return Finding(.ok, "upgrade", note) }
        guard note.hasPrefix("the last good plan is in force") else { return Finding(.warn, "note", note) }
        return Finding(
            .bad, "configuration in force", note, remedy: "mend the file, then `nexusctl check` and `nexusctl reload`")
    }

    private func failure(_ child: ChildStatus, _ words: String) -> Finding {
        let runs = child.unstableRuns == 1 ? "its last run" : "its last \(child.unstableRuns) runs"
        return Finding(
            .bad, "child", "\(child.name) failed in \(runs): \(words)", remedy: "nexusctl why \(child.name)")
    }

    private func children() -> [Finding] {
        guard let report else { return [] }
        var findings: [Finding] = []
        for child in report.children {
            switch child.state {
            case "parked", "unkillable":
                findings.append(
                    Finding(
                        .bad, "child", "\(child.name) is \(child.state): \(child.explainedWords)",
                        remedy: "nexusctl why \(child.name)"))
            case "delayed" where child.unstableRuns > 2:
                findings.append(
                    Finding(
                        .warn, "child", "\(child.name) keeps ending: \(child.words)",
                        remedy: "nexusctl why \(child.name)"))
            // Such ends are not counted as unstable, and go on for ever.
            case "delayed" where child.cause == "network" && child.restarts > 2:
                findings.append(
                    Finding(
                        .warn, "child", "\(child.name) finds no network: \(child.words)",
                        remedy: "nexusctl why \(child.name)"))
            case "scheduled" where child.unstableRuns > 0:
                findings.append(failure(child, child.words))
            case "waiting", "starting", "ready", "stopping":
                // The next one is there, and says nothing of itself yet.
                if let words = child.failure { findings.append(failure(child, Terminal.clean(words))) }
            case _: continue
            }
        }
        if findings.isEmpty {
            findings.append(Finding(.ok, "children", "none is parked, keeps ending or failed in its last run"))
        }
        return findings
            + report.children.compactMap { child in
                child.pageTrouble.map {
                    Finding(.warn, "page", Terminal.clean($0), remedy: "nexusctl explain chat.listen")
                }
            }
            + report.children.compactMap { child in
                child.newStore.map {
                    Finding(
                        .warn, "chat", Terminal.clean($0),
                        remedy: "a backup comes back with: nexusctl chat restore FILE")
                }
            }
            + report.strays.map {
                Finding(
                    .warn, "stray", "process \($0.pid) (\($0.name)) left its run",
                    remedy: "it is ended when nexusd stops; `kill \($0.pid)` ends it now")
            }
    }
}
