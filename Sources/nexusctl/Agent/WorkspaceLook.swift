import ControlClient
import Glibc
import System

/// What keeps the agent's user from working in a directory: asked of the kernel as that user.
struct WorkspaceLook {
    let child: AgentChild
    let unit: NexusUnit?

    /// A directory that is closed to that user.
    struct Closed {
        let path: String
        /// It is the workspace itself, which is to be read and written, not only entered.
        let isPlace: Bool
        let error: Errno
        let status: FileStatus?

        /// `/srv/a may not be entered (mode 0700, of root): Permission denied (EACCES)`.
        var words: String {
            let owner = status.map { status in
                let name = Accounts.name(of: status.user) ?? "uid \(status.user)"
                let mode = String(status.mode, radix: 8)
                return " (mode \(String(repeating: "0", count: max(0, 4 - mode.count)))\(mode), of \(name))"
            }
            return "\(path) may not be \(isPlace ? "read and written" : "entered")\(owner ?? ""): \(error)"
        }
    }

    /// Nobody's path has more directories.
    private static let depthLimit = 200

    init(_ child: AgentChild) {
        self.child = child
        unit = NexusUnit(child.report)
    }

    /// The unit shows it in a place of its own, so that what lies above it does not matter.
    func isBound(_ path: String) -> Bool { unit != nil && UnitDropIn.Setting(of: path) == .bound }

    /// Empty: its user may enter each directory on the way, and read and write in the last.
    func closed(_ path: String) throws(ControlError) -> [Closed] {
        let kernel = LiveKernel()
        var way = isBound(path) ? [] : Self.above(path)
        guard way.count <= Self.depthLimit else { throw ControlError(.usage, "\(path) lies too deep") }
        way.append(path)
        var (found, looks, held): ([Closed], [AccessLook], [Int32]) = ([], [], [])
        defer { for number in held { close(number) } }
        for directory in way {
            do throws(Errno) {
                held.append(try kernel.open(directory, [.path, .directory, .noFollow], mode: 0).release())
                let right: AccessLook.Right = directory == path ? [.read, .write, .enter] : .enter
                looks.append(AccessLook(directory: held[held.count - 1], right: right))
            } catch {
                found.append(Closed(path: directory, isPlace: directory == path, error: error, status: nil))
                return found
            }
        }
        do throws(Errno) {
            let answers = try AccessLook.ask(looks, as: child.identity)
            for (directory, error) in zip(way, answers) {
                guard let error else { continue }
                found.append(
                    Closed(
                        path: directory, isPlace: directory == path, error: error,
                        status: try? kernel.status(directory, followingLinks: false)))
            }
        } catch {
            throw ControlError(.failed, "cannot look at \(path) as \(child.userName): \(error)")
        }
        return found
    }

    /// What is wrong with a workspace, and the remedy; nil: nothing.
    func complaint(_ path: String) -> (words: String, remedy: String)? {
        let add = "nexusctl agent workspace add \(path.shellWord)"
        do throws(ControlError) {
            let closed = try closed(path)
            if let first = closed.first {
                return ("\(child.userName) cannot work in \(path): \(first.words)", add)
            }
        } catch {
            return (error.message, "nexusctl doctor")
        }
        guard let unit else { return nil }
        switch unit.verdict(path) {
        case .open: return nil
        case .written:
            return ("\(unit.name) lets nobody write in \(path) before its next start", "systemctl restart \(unit.name)")
        case .shut: return ("\(unit.name) lets nobody write in \(path)", add)
        }
    }

    private static func above(_ path: String) -> [String] {
        var (way, place) = (["/"], "")
        for part in path.split(separator: "/").dropLast() {
            place += "/" + part
            way.append(place)
        }
        return path == "/" ? [] : way
    }
}
