import SupervisorCore
import System
import Wire

extension Engine {
    /// Before the core hears of the end of a run: whether the next one has to wait for log-writer.
    func holdBack(_ child: ChildID) {
        guard child != logWriter, !hasRoom(child), crowded.add(child, at: now) else { return }
        feed(.crowded(child, true))
    }

    /// Log-writer has come to the end of something of this child, or it is time for a look at all of them.
    func letOn(_ reader: ChildID? = nil) {
        // A log-writer that is away reads nothing.
        let isRead = journal.isServed
        for child in crowded.take(at: now, where: { isRead && (reader ?? $0) == $0 && hasRoom($0) }) {
            feed(.crowded(child, false))
        }
    }

    /// Room for the output of another run: too few wait, or one of those that do has nothing in its pipes.
    private func hasRoom(_ child: ChildID) -> Bool {
        let outputs = self[child].outputs
        return outputs.count < ChildCell.undrainedRuns || outputs.contains { isEmpty($0) }
    }

    private func isEmpty(_ output: RunOutput) -> Bool {
        StreamKind.allCases.allSatisfy { kind in output.with(kind) { fd in waitingBytes(fd) == 0 } ?? true }
    }

    private func waitingBytes(_ fd: borrowing OwnedFD) -> Int? { try? kernel.readableBytes(fd) }

    /// Gives up one of the runs that wait for log-writer: one that has nothing to be read, else the oldest.
    func makeRoom(for child: ChildID) {
        let cell = self[child]
        guard cell.outputs.count >= ChildCell.undrainedRuns else { return }
        keeper?.touch(child)
        drop(cell.outputs.remove(at: cell.outputs.firstIndex { isEmpty($0) } ?? 0), of: child)
    }
}
