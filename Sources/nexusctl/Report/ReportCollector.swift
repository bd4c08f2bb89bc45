import ControlClient
import Glibc
import System

/// Gathers what goes into a report, by the commands that show it: what a helper reads is what the owner would see.
struct ReportCollector {
    private let place: Locations
    private let report: StatusReport?
    /// Supervisor.toml that is in force, or that would be.
    let config: String
    private let folder: String
    private var room = ReportCollector.limitBytes
    private var leftOut: [String] = []

    /// Bytes of everything together.
    static let limitBytes = 20 * 1024 * 1024
    /// Of the log of one child.
    private static let logBytes = 512 * 1024
    private static let logLines = 500
    private static let eventLines = 2000
    /// Children whose reasons and logs are in it; those in trouble come first.
    private static let childLimit = 64

    init(_ place: Locations, _ folder: borrowing ReportFolder) {
        self.place = place
        self.folder = folder.path
        report = (try? ControlConnection(socket: place.controlSocket)).flatMap { try? StatusQuestion.report($0) }
        config = report?.config ?? (geteuid() == 0 ? "/etc/nexus/Supervisor.toml" : Self.userConfig)
    }

    private static var userConfig: String {
        let home = getenv("HOME").map { String(cString: $0) } ?? "/"
        return (getenv("XDG_CONFIG_HOME").map { String(cString: $0) } ?? home + "/.config") + "/nexus/Supervisor.toml"
    }

    /// Everything, the most telling first: what has no room any more is named.
    mutating func collect() {
        add("system.txt", SystemFacts(pid: report?.pid).text)
        command("version.txt", ["version"])
        command("status.txt", ["status"])
        command("status.json", ["status", "--json"])
        command("doctor.txt", ["doctor"])
        command("doctor.json", ["doctor", "--json"])
        command("tree.txt", ["tree"])
        command("check.txt", ["check", config])
        let children = byTrouble
        for child in children where child.isTroubled { command("why/\(child.name).txt", ["why", child.name]) }
        command("history.json", ["history", "-n", "1000", "--json"])
        command("events.txt", ["logs", "nexusd", "-n", "\(Self.eventLines)"])
        command("metrics.txt", ["metrics"])
        let names = children.isEmpty ? [] : children.prefix(Self.childLimit).map(\.name)
        for name in names {
            command("logs/\(name).txt", ["logs", name, "-n", "\(Self.logLines)"], bytes: Self.logBytes)
        }
        if children.count > names.count { leftOut.append("logs of \(children.count - names.count) further children") }
        if children.isEmpty { command("logs/all.txt", ["logs", "-n", "\(Self.eventLines)"]) }
        let words = leftOut.isEmpty ? "Nothing was left out." : "Left out: " + leftOut.joined(separator: ", ") + "."
        ReportFolder.write(
            "A report of Nexus, made by `nexusctl report`. Secrets were taken out as [redacted]. \(words)\n",
            as: "README.txt", in: folder)
    }

    private var byTrouble: [ChildStatus] {
        let children = report?.children ?? []
        return children.filter(\.isTroubled) + children.filter { !$0.isTroubled }
    }

    private mutating func command(_ name: String, _ words: [String], bytes: Int = Capture.limitBytes) {
        let arguments = words + ["--runtime", place.runtime, "--state", place.state]
        guard let answer = Capture.run("/proc/self/exe", arguments, bytes: bytes) else {
            leftOut.append(name + " (no answer)")
            return
        }
        // What a command complains of is news too.
        let cut = answer.isCut ? "\n(cut off here)\n" : ""
        add(name, answer.output + cut + (answer.errors.isEmpty ? "" : "\n" + answer.errors))
    }

    private mutating func add(_ name: String, _ text: String) {
        guard text.utf8.count <= room else {
            leftOut.append(name)
            return
        }
        room -= text.utf8.count
        ReportFolder.write(text, as: name, in: folder)
    }
}

extension ChildStatus {
    /// Worth a `why` in a report.
    fileprivate var isTroubled: Bool {
        switch state {
        case "ready", "done", "off": restarts > 0
        case _: true
        }
    }
}
