import ControlClient
import Glibc
import System

extension Doctor {
    /// The file, and the programs that lie beside this one.
    func configuration() -> [Finding] {
        guard let own = BesideUs.directory else {
            return [Finding(.bad, "programs", "cannot tell where nexusctl lies")]
        }
        let needed = ["nexusd", "nexus-config", "log-writer"]
        let missing = needed.filter { access(own + "/" + $0, X_OK) != 0 }
        guard missing.isEmpty else {
            let words = "\(missing.joined(separator: ", ")) not there, or not executable, in \(own)"
            return [
                Finding(.bad, "programs", words, remedy: "the programs of Nexus belong in one directory: reinstall")
            ]
        }
        return [Finding(.ok, "programs", "nexusd, nexus-config and log-writer are in \(own)")] + file(own)
    }

    private func file(_ own: String) -> [Finding] {
        guard let look, let report else {
            // By his own rights a stranger would call wrong what nexusd may read.
            guard report != nil || user == geteuid() else {
                return [Finding(.warn, "configuration", "not judged: nexusd (uid \(user)) reads it, and refuses you")]
            }
            return checked(own)
        }
        do throws(ControlError) {
            switch try look.verdict() {
            case .accepted(let notes):
                return [Finding(.ok, "configuration", "\(report.config): ok, as nexusd (uid \(look.uid)) reads it")]
                    + notes.filter { !isKnown($0) }.map { Finding(.warn, "configuration", $0) }
            case .refused(let diagnostics): return [refused(diagnostics)]
            }
        } catch {
            return [Finding(.warn, "configuration", "not judged: nexusd says: \(error.message)")]
        }
    }

    private func refused(_ diagnostics: [String]) -> Finding {
        let first = diagnostics.first ?? "refused without a word"
        let more = diagnostics.count > 1 ? " (and \(diagnostics.count - 1) lines more)" : ""
        return Finding(
            .bad, "configuration", first + more, remedy: "nexusctl check" + (report.map { " " + $0.config } ?? ""))
    }

    private func checked(_ own: String) -> [Finding] {
        let arguments =
            ["check"] + (report.map { [$0.config] } ?? []) + ["--state", place.state, "--runtime", place.runtime]
        guard let check = Capture.run(own + "/nexus-config", arguments) else {
            return [Finding(.bad, "configuration", "nexus-config did not end within \(Capture.limitMilliseconds) ms")]
        }
        let said = (check.output + check.errors).split(separator: "\n").map(String.init)
        guard check.status == 0 else { return [refused(said)] }
        return said.compactMap { line in
            guard line.hasPrefix("note: ") else { return Finding(.ok, "configuration", line) }
            let note = String(line.dropFirst(6))
            return isKnown(note) ? nil : Finding(.warn, "configuration", note)
        }
    }

    /// What nexusd says of the plan in force is not said of the file again.
    private func isKnown(_ note: String) -> Bool {
        guard let report else { return false }
        if report.notes.contains(note) { return true }
        if note.hasPrefix("the uid wall is off") { return !report.uidWall }
        // nexusd knows better what is kept: it has its cgroup.
        return note.contains("will not be kept by the kernel")
    }
}
