import CNexus
import Glibc
import SupervisorCore
import System
import TestSupport

/// A copy of a program, with a write lease on it as long as this is there.
final class HeldProgram {
    private let directory = TemporaryDirectory()
    private let file: OwnedFD
    var path: String { directory.path + "/held" }

    init(_ program: String = "/bin/sleep") throws {
        let kernel = LiveKernel()
        let path = directory.path + "/held"
        try kernel.replaceFile(path, with: kernel.readFile(program, limit: 1 << 28), mode: 0o755)
        // The kernel asks for the lease by this signal, and is not heard.
        Glibc.signal(SIGIO, SIG_IGN)
        file = try kernel.open(path, .readOnly, mode: 0)
        guard nexus_fcntl(file.raw, F_SETLEASE, Int(F_WRLCK)) == 0 else { throw Errno.current }
    }

    /// Until a process that was started with it as its program waits for it: before it turns to its program it has closed all
    /// but 0, 1, 2 and its report.
    static func awaitExec(of process: ProcessID) throws {
        let kernel = LiveKernel()
        try waitFor("the exec of \(process)") { try kernel.list("/proc/\(process)/fd").count == 4 }
    }

    func letGo() { _ = nexus_fcntl(file.raw, F_SETLEASE, Int(F_UNLCK)) }

    deinit { letGo() }
}
