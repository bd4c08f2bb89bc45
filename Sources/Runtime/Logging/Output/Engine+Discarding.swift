import SupervisorCore
import System
import Wire

extension Engine {
    /// Too many runs of this child wait for log-writer: the oldest is given up.
    func drop(_ output: RunOutput, of child: ChildID) {
        var lost = Loss()
        var left = 0
        for number in output.numbers(of: child) {
            // A living log-writer has descriptors of its own and reads on.
            let isHanded = journal.hasHanded(number)
            _ = output.with(number.kind) { fd in
                pipeWatch?.remove(fd)
                if isHanded { left += (try? kernel.readableBytes(fd)) ?? 0 } else { discard(fd, &lost) }
            }
        }
        report(lost, of: child, output.run, "more than \(ChildCell.undrainedRuns) runs of it wait for log-writer")
        guard left > 0 else { return }
        say(
            LogEvent(
                .supervisorTrouble, 4,
                "\(counted(left, "byte")) of \(names[child]) lie in log-writer's hands alone: it has not read them for"
                    + " \(CrowdedChildren.patience.words) and more runs wait. They are lost if it dies.", names[child],
                output.run))
    }

    /// One look at the pipes while no log-writer serves.
    func discardOutput() {
        guard outputGuard.look(at: now) else { return }
        for cell in cells {
            for output in cell.outputs {
                var lost = Loss()
                for kind in StreamKind.allCases {
                    _ = output.with(kind) { fd in
                        if isFull(fd) { discard(fd, &lost) }
                    }
                }
                report(lost, of: cell.id, output.run, "no log-writer serves")
            }
        }
    }

    private struct Loss {
        var bytes = 0
        var lines = 0
    }

    /// A pipe is full by slots, not by bytes: a write of 2,049 bytes takes a page of 4,096. From half of its size on a
    /// pipe may be full, so it is taken to be.
    private func isFull(_ fd: borrowing OwnedFD) -> Bool {
        guard let waiting = try? kernel.readableBytes(fd), waiting > 0, let size = try? kernel.pipeSize(fd) else {
            return false
        }
        return waiting >= size / 2
    }

    private func discard(_ fd: borrowing OwnedFD, _ lost: inout Loss) {
        // At most one pipe's worth: its writer may be faster than this.
        for _ in 0..<16 {
            guard let count = try? kernel.read(fd, into: surroundings.scratch), count > 0 else { return }
            lost.bytes += count
            lost.lines += surroundings.scratch[..<count].count { $0 == UInt8(ascii: "\n") }
        }
    }

    private func report(_ lost: Loss, of child: ChildID, _ run: RunID, _ why: String) {
        guard lost.bytes > 0 else { return }
        var counts = LogCounts()
        counts.dropped = UInt64(lost.lines)
        self[child].count(counts)
        say(
            LogEvent(
                .outputDropped, 3,
                "\(counted(lost.bytes, "byte")) (\(counted(lost.lines, "line"))) of \(names[child]) were discarded: \(why).",
                names[child],
                run,
                [
                    LogEvent.Field(name: "BYTES", value: String(lost.bytes)),
                    LogEvent.Field(name: "LINES", value: String(lost.lines)),
                ]))
    }
}
