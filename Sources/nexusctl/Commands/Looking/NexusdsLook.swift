import ControlClient
import Glibc

/// Supervisor.toml as a nexusd of another user sees it. Which files may be read, who must not write them and what may be asked
/// for is judged by uid: with the caller's rights a file would be refused that nexusd takes, and the other way round.
struct NexusdsLook {
    /// nexusd's.
    let uid: UInt32
    private let connection: ControlConnection

    /// What it says of its file.
    enum Verdict {
        case accepted(notes: [String])
        /// Diagnostics, one a line.
        case refused([String])
    }

    /// nexus-config has 10 s for the file, and others may be before us.
    private static let limitMilliseconds: Int64 = 60_000

    /// nil where nexusd has the caller's own rights.
    init?(_ connection: ControlConnection) {
        guard let uid = connection.serverUid, uid != geteuid() else { return nil }
        self.uid = uid
        self.connection = connection
    }

    /// A reload that changes nothing.
    func verdict() throws(ControlError) -> Verdict {
        do throws(ControlError) {
            let answer = try connection.answer(
                to: connection.request("diff"), until: ControlConnection.now() + Self.limitMilliseconds)
            let notes = try ControlConnection.json(answer)["notes"]?.elements ?? []
            return .accepted(notes: notes.compactMap(\.text))
        } catch {
            guard error.code == .configuration else { throw error }
            return .refused(error.message.split(separator: "\n").map(String.init))
        }
    }

    /// Said of a file that it does not look at.
    var caution: String {
        "the rights of uid \(geteuid()) are not those of the nexusd that runs here, uid \(uid): what it would say of files, owners and users"
            + " may be otherwise"
    }
}
