import ControlClient
import Glibc
import System

/// The systemd unit that nexusd runs in, and the drop-in that lets it write where workspaces are.
struct NexusUnit {
    /// `nexus.service`.
    let name: String
    /// Of nexusd; nil: it does not run.
    let process: Int64?

    var file: String { UnitDropIn.path(unit: name) }
    private static let limitMilliseconds: Int64 = 120_000

    /// nil: nothing here is a unit of the system's that this user could change; then nothing shuts the agent out but rights.
    init?(_ report: StatusReport?) {
        guard geteuid() == 0, access("/run/systemd/system", F_OK) == 0 else { return nil }
        process = report?.pid
        guard let report else {
            guard Self.systemctl(["show", "-P", "LoadState", "nexus.service"])?.output == "loaded\n" else { return nil }
            name = "nexus.service"
            return
        }
        let text = (try? LiveKernel().readFile("/proc/\(report.pid)/cgroup", limit: 65_536)) ?? []
        let line = String(decoding: text, as: UTF8.self).split(separator: "\n").last { $0.hasPrefix("0::") } ?? ""
        let parts = line.split(separator: "/")
        guard let unit = parts.last(where: { $0.hasSuffix(".service") }), !unit.hasPrefix("user@"),
            !parts.contains(where: { $0.hasPrefix("user@") })
        else { return nil }
        name = String(unit)
    }

    /// How the unit is about a path, its user's rights aside.
    enum Verdict: Hashable {
        /// It can be written.
        case open
        /// The drop-in has it, and takes effect with the next start.
        case written
        case shut
    }

    /// As the running nexusd sees it; where none runs, by what the unit says.
    func verdict(_ path: String) -> Verdict {
        let isWritten = dropIn().paths.contains(path)
        guard let process else {
            let said = ["ReadWritePaths", "BindPaths"].compactMap { Self.systemctl(["show", "-P", $0, name])?.output }
            let paths = said.joined(separator: " ").split(whereSeparator: \.isWhitespace).map { word in
                String(word.drop { $0 == "-" || $0 == "+" }.prefix { $0 != ":" })
            }
            return isWritten || paths.contains { path == $0 || path.hasPrefix($0 + "/") } ? .open : .shut
        }
        // The caller is root, whom modes do not stop: what does is a mount, or that it is not there.
        let seen = "/proc/\(process)/root" + path
        guard access(seen, W_OK) != 0, [EROFS, ENOENT, ENOTDIR].contains(errno) else {
            return isSame(path, seen) ? .open : .shut
        }
        return isWritten ? .written : .shut
    }

    /// An empty directory may stand where another one is meant.
    private func isSame(_ one: String, _ other: String) -> Bool {
        var (first, second) = (stat(), stat())
        guard stat(one, &first) == 0, stat(other, &second) == 0 else { return true }
        return first.st_dev == second.st_dev && first.st_ino == second.st_ino
    }

    func dropIn() -> UnitDropIn {
        let text = (try? LiveKernel().readFile(file, limit: UnitDropIn.byteLimit)) ?? []
        return UnitDropIn(String(decoding: text, as: UTF8.self))
    }

    /// Writes it whole or not at all, and has systemd read it; one that says nothing any more is taken away.
    func write(_ dropIn: UnitDropIn) throws(ControlError) {
        let kernel = LiveKernel()
        let directory = file.split(separator: "/").dropLast().map { "/" + $0 }.joined()
        do throws(Errno) {
            if dropIn.isEmpty {
                try kernel.removeFile(file)
            } else {
                if access(directory, F_OK) != 0 { try kernel.makeDirectory(directory, mode: 0o755) }
                try kernel.replaceFile(file, with: Array(dropIn.text.utf8), mode: 0o644)
                try kernel.synchronize(kernel.open(file, [.readOnly, .noFollow], mode: 0))
                fsync(try kernel.open(directory, [.readOnly, .directory], mode: 0).raw)
            }
        } catch {
            throw ControlError(.failed, "cannot write \(file): \(error)")
        }
        try Self.need(["daemon-reload"])
    }

    /// nexusd and all its children anew.
    func restart() throws(ControlError) { try Self.need(["restart", name]) }

    private static func need(_ words: [String]) throws(ControlError) {
        let command = "systemctl \(words.joined(separator: " "))"
        guard let said = systemctl(words) else { throw ControlError(.timeout, "`\(command)` did not end in time") }
        guard said.status == 0 else {
            throw ControlError(.failed, "`\(command)` failed: \(said.errors.split(separator: "\n").first ?? "")")
        }
    }

    private static func systemctl(_ words: [String]) -> Capture? {
        Capture.run("/usr/bin/systemctl", words, milliseconds: limitMilliseconds)
            ?? Capture.run("/bin/systemctl", words, milliseconds: limitMilliseconds)
    }
}
