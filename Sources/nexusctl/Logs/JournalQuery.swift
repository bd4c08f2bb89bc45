import ControlClient
import Glibc
import LogStore
import SupervisorCore
import Wire

/// The same question for journald: its own reader is executed, which knows every place a journal may lie in.
struct JournalQuery {
    private var words = ["journalctl", "--no-hostname"]

    init(
        _ query: LogQuery, grep: String?, _ isExpression: Bool, _ isCaseless: Bool, _ json: Bool, _ follow: Bool
    ) {
        words += ["-o", json ? "json" : "short-iso-precise"]
        if let last = query.last { words += ["-n", String(last)] } else { words.append("--no-pager") }
        if follow { words.append("-f") }
        for (option, stamp) in [("--since", query.since), ("--until", query.until)] {
            if let stamp { words += [option, "@\(stamp.microseconds / 1_000_000)"] }
        }
        if let level = query.level { words += ["-p", level.name] }
        if let grep {
            // Perl's expressions: what is literal is quoted, and case counts unless it is said otherwise.
            words += [
                "-g", isExpression ? grep : #"\Q"# + grep + #"\E"#, "--case-sensitive=\(isCaseless ? "no" : "yes")",
            ]
        }
        if let run = query.run { words.append("NEXUS_RUN_ID=\(run)") }
        switch query.source {
        case .child(.stdout)?: words.append("NEXUS_STREAM=stdout")
        case .child(.stderr)?: words.append("NEXUS_STREAM=stderr")
        case .supervisor?, .logWriter?: words.append("SYSLOG_IDENTIFIER=nexusd")
        case nil: break
        }
    }

    /// Becomes journalctl; returns only when that fails. journalctl knows no "but not": a follower that is a part of the tree
    /// does not see its own child, which has no other run while this one lasts.
    func execute(_ names: [String], _ place: Locations, without own: OwnRun?) throws(ControlError) {
        var children = names.isEmpty ? try LogNames.all(place) : try LogNames(place).resolve(names)
        if let own, children.contains(own.child) {
            children.removeAll { $0 == own.child }
            let words = "the lines of \(own.child) are left out: this output becomes some of them"
            // Without a field to look for, journalctl would show the whole machine's journal.
            guard !children.isEmpty else {
                throw ControlError(.failed, "there is nothing to follow: \(words)", hint: "without -f they are shown")
            }
            Output.complain("nexusctl: \(words). Without -f they are shown, and with -f into a file")
        }
        // One field of several values is an "or"; all that nexusd and log-writer send has this one. Whoever sends an entry writes it as
        // he likes, so what journald itself says of the sender must be there too: log-writer's user, whose the files are.
        var fields = children.map { "SYSLOG_IDENTIFIER=\($0)" }
        var facts = stat()
        if stat(place.logs, &facts) == 0 { fields.append("_UID=\(facts.st_uid)") }
        let arguments: [UnsafeMutablePointer<CChar>?] = (words + fields).map { strdup($0) } + [nil]
        execvp("journalctl", arguments)
        throw ControlError(
            .failed, "journalctl cannot be executed: \(String(cString: strerror(errno)))",
            hint: "leave --journal out: the files have every line")
    }
}
