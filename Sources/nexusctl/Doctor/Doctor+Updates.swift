import ControlClient
import Glibc

extension Doctor {
    /// The accepted copies of programs: whole, and none half tried.
    func updates() -> [Finding] {
        UpdateList(place).entries.flatMap { entry -> [Finding] in
            let name = entry.place.name
            var findings = entry.complaint.map { [Finding(.warn, "updates", $0)] } ?? []
            findings += entry.damage.map { damage in
                let remedy =
                    damage.source == entry.book.current
                    ? "get that version anew, then: nexusctl update \(name) PATH"
                    : "nothing leads back to it; the next `nexusctl update \(name) PATH` takes it away"
                return Finding(
                    damage.source == entry.book.current ? .bad : .warn, "updates", damage.words, remedy: remedy)
            }
            let held = UpdateOutcome.spoken(entry.book.current, name, entry.book)
            if let trial = entry.book.trial { return findings + [self.trial(trial, held, entry)] }
            if let refusal = entry.book.refusal {
                findings.append(
                    Finding(
                        .warn, "updates",
                        "\(name) \(refusal.text) was tried and is not kept: \(refusal.why); \(held) holds",
                        remedy: "nexusctl update \(name) PATH, with one that serves"))
            }
            return findings.isEmpty ? [Finding(.ok, "updates", "\(held) holds, its copy is whole")] : findings
        }
    }

    private func trial(_ trial: AcceptedBook.Source, _ held: String, _ entry: UpdateList.Entry) -> Finding {
        let name = entry.place.name
        let tried = UpdateOutcome.spoken(trial, name, entry.book)
        let directory = open(entry.place.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(directory) }
        // Whoever tries it holds the lock.
        if directory >= 0, flock(directory, LOCK_SH | LOCK_NB) != 0, errno == EWOULDBLOCK {
            return Finding(.ok, "updates", "\(tried) is on trial now")
        }
        return Finding(
            .bad, "updates", "the trial of \(tried) was cut off: it may run, and nobody looked whether it serves",
            remedy: "nexusctl update \(name) --back brings back \(held); nexusctl update \(name) PATH begins anew")
    }
}
