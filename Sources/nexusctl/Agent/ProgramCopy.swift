import ControlClient
import Glibc
import System

/// A copy of a program beside the place where it is to be: whole or not there, root's, 0755. Taken away again with the value, unless
/// it was put in its place.
struct ProgramCopy: ~Copyable {
    /// Where it is to be; its directories are resolved.
    let destination: String
    /// Where it is until then.
    let temporary: String
    // Held locked: two at once would take each other's copy away.
    private let lock: OwnedFD

    /// Looks at both places and copies.
    init(of source: String, to destination: String) throws(ControlError) {
        let kernel = LiveKernel()
        let directory = try Self.closedDirectory(of: destination)
        let name = String(destination.split(separator: "/").last ?? "")
        let below = directory == "/" ? "/" : directory + "/"
        let held = try Self.lock(directory, kernel)
        let temporary = below + ".\(name).nexus-new"
        try? kernel.removeFile(temporary)
        try ProgramFile.copy(source, to: temporary, kernel)
        self.destination = below + name
        self.temporary = temporary
        lock = held
    }

    deinit { try? LiveKernel().removeFile(temporary) }

    /// Puts it in its place; what runs of an earlier one there goes on with that.
    func commit() throws(ControlError) {
        do throws(Errno) {
            try LiveKernel().rename(temporary, to: destination)
        } catch {
            throw ControlError(.failed, "cannot put the copy in place of \(destination): \(error)")
        }
        fsync(lock.raw)
    }

    private static func lock(_ directory: String, _ kernel: LiveKernel) throws(ControlError) -> OwnedFD {
        let number = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw ControlError(.failed, "cannot open \(directory): \(Errno.current)") }
        let held = OwnedFD(owning: number)
        guard (try? kernel.lock(held)) == true else {
            throw ControlError(.failed, "another `nexusctl agent install` is under way in \(directory)")
        }
        return held
    }

    /// The directory of a path, resolved; refused where somebody else than root could change what lies in it.
    private static func closedDirectory(of path: String) throws(ControlError) -> String {
        let kernel = LiveKernel()
        guard path.hasPrefix("/"), let slash = path.lastIndex(of: "/"), !path.hasSuffix("/") else {
            throw ControlError(.usage, "--to takes the absolute path of a file, found '\(path)'")
        }
        let named = slash == path.startIndex ? "/" : String(path[..<slash])
        guard let resolved = realpath(named, nil) else {
            throw ControlError(.failed, "\(named): \(Errno.current)", hint: "make it first: mkdir -p \(named)")
        }
        defer { free(resolved) }
        let directory = String(cString: resolved)
        var above = directory
        while true {
            let status = try? kernel.status(above, followingLinks: false)
            // With the sticky bit nobody replaces what is another's.
            let isOpen = status.map { $0.mode & 0o022 != 0 && $0.mode & 0o1000 == 0 } ?? true
            guard let status, status.user == 0, status.kind == .directory, !isOpen else {
                throw ControlError(
                    .failed, "\(above) can be changed by others than root, and so could a program in it",
                    hint: "take another place, or: chown root \(above) && chmod go-w \(above)")
            }
            guard above != "/", let slash = above.lastIndex(of: "/") else { return directory }
            above = slash == above.startIndex ? "/" : String(above[..<slash])
        }
    }
}
