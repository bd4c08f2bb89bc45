import ControlClient
import Glibc
import LogStore
import System

extension Doctor {
    /// log-writer's book of runs, by which `history` survives a restart of nexusd. One that is not there yet is none that is
    /// damaged.
    func book() -> [Finding] {
        let subject = "book of runs"
        let reader = BookReader(directory: place.logs)
        do throws(Errno) {
            let content = try reader.read()
            guard content.damagedLines > 0 else { return [Finding(.ok, subject, reader.path)] }
            let damage = BookDamage(lines: content.damagedLines, path: reader.path)
            return [Finding(.warn, subject, damage.words, remedy: damage.remedy)]
        } catch .noEntry {
            return []
        } catch  where error == .noAccess && user != geteuid() {
            return [
                Finding(
                    .warn, subject, "\(reader.path): not judged, for uid \(geteuid()) may not look at it",
                    remedy: "it is log-writer's alone: ask as root")
            ]
        } catch {
            let failure = LogPrinter.unreadable(file: reader.path, error)
            return [Finding(.bad, subject, failure.message, remedy: failure.hint)]
        }
    }
}
