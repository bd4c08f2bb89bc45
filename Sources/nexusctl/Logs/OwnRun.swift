import Glibc
import SupervisorCore

/// The run that this command is a part of, where what it prints becomes lines of that run: who followed those would be shown
/// his own output for ever.
struct OwnRun {
    let child: String
    let run: RunID

    /// Nil outside of a tree, and where the output goes to a file or a terminal.
    init?() {
        guard let child = getenv("NEXUS_CHILD"), let id = getenv("NEXUS_RUN_ID"), let run = RunID(String(cString: id))
        else {
            return nil
        }
        var status = stat()
        // A run's log is a pipe; behind another one may stand what writes to that.
        guard fstat(STDOUT_FILENO, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else { return nil }
        self.child = String(cString: child)
        self.run = run
    }

    var words: String {
        "the lines of run \(run) of \(child) are left out: this output becomes one of them. Without -f they are shown, and with -f"
            + " into a file"
    }
}
