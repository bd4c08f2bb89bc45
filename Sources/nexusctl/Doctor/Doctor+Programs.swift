import ControlClient
import System

extension Doctor {
    /// The programs that the default tree runs and Nexus does not bring, and those of which there is another by now.
    func programs() -> [Finding] { agent() + tunnel() + updates() + replaced() }

    /// Children that go on with a program whose file was replaced since, as by an upgrade of its package.
    private func replaced() -> [Finding] {
        let names = (report?.children ?? []).filter(runsReplacedProgram).map(\.name)
        guard !names.isEmpty else { return [] }
        return [
            Finding(
                .warn, "upgrade", "runs the program of before the upgrade: \(names.joined(separator: ", "))",
                remedy: "nexusctl restart \(names.map(\.shellWord).joined(separator: " ")), when it suits")
        ]
    }

    private func runsReplacedProgram(_ child: ChildStatus) -> Bool {
        // proc_pid_exe(5); of another user's process nobody but root is told.
        let mark = " (deleted)"
        guard let pid = child.pid, let program = try? kernel.readLink("/proc/\(pid)/exe"), program.hasSuffix(mark)
        else {
            return false
        }
        // Where none took its place a restart would run nothing.
        return (try? kernel.status(String(program.dropLast(mark.count)), followingLinks: true)) != nil
    }
}
