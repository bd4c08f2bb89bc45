import SupervisorCore
import System
import Wire

/// The read ends of one run's output. nexusd keeps them until log-writer has read them to the end, so that child,
/// log-writer or both may die and nothing is lost.
final class RunOutput {
    let run: RunID
    /// Secret values of the run that log-writer is to blot out.
    let redactions: [String]
    /// Nil once log-writer reported its end.
    private var stdout: OwnedFD?
    private var stderr: OwnedFD?

    /// Nil for one that was read to its end before this nexusd began.
    init(run: RunID, stdout: consuming OwnedFD?, stderr: consuming OwnedFD?, redactions: [String]) {
        self.run = run
        self.redactions = redactions
        self.stdout = consume stdout
        self.stderr = consume stderr
    }

    /// True when both were read to their end.
    var isDrained: Bool { stdout == nil && stderr == nil }

    /// What is not read to its end, by the numbers of the log link.
    func numbers(of child: ChildID) -> [StreamNumber] {
        (stdout == nil ? [] : [StreamNumber(child, run, .stdout)])
            + (stderr == nil ? [] : [StreamNumber(child, run, .stderr)])
    }

    /// Closes one of them.
    func finish(_ kind: StreamKind) {
        switch kind {
        case .stdout: stdout = nil
        case .stderr: stderr = nil
        }
    }

    /// Lends one of them; nil when it is finished.
    func with<Result>(_ kind: StreamKind, _ body: (borrowing OwnedFD) -> Result) -> Result? {
        switch kind {
        case .stdout: Self.lend(stdout, body)
        case .stderr: Self.lend(stderr, body)
        }
    }

    private static func lend<Result>(
        _ descriptor: borrowing OwnedFD?, _ body: (borrowing OwnedFD) -> Result
    ) -> Result? {
        switch descriptor {
        case .some(let descriptor): body(descriptor)
        case .none: nil
        }
    }
}
