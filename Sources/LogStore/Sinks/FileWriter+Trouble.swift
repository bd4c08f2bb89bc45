import SupervisorCore
import System
import Wire

/// Files that take nothing: waiting, giving up, and saying what is missing.
extension FileWriter {
    /// What waits, in order; gives back the weight that is done with.
    mutating func retry(_ waiting: FilingTrouble.Waiting, of child: String) -> Int {
        var waiting = waiting
        var done = 0
        for index in waiting.writings.indices {
            if let error = write(&waiting.writings[index], into: child, rotation: nil) {
                // Once, and not one by one: the list is long where a disk hung.
                waiting.writings.removeFirst(index)
                waiting.error = error
                troubles[child] = .waiting(waiting)
                return done
            }
            done += waiting.writings[index].weight
            confirm(waiting.writings[index])
        }
        troubles[child] = nil
        return done
    }

    /// Drops what has waited longer than the patience, or everything.
    mutating func giveUp(all: Bool) -> Int {
        var done = 0
        let now = kernel.monotonic()
        for (child, trouble) in troubles {
            guard case .waiting(let waiting) = trouble, all || now - waiting.since > FileSink.patience else { continue }
            done += giveUp(waiting, of: child)
        }
        return done
    }

    private mutating func giveUp(_ waiting: FilingTrouble.Waiting, of child: String) -> Int {
        troubles[child] = .givenUp(
            FilingTrouble.GivenUp(refused: kernel.monotonic(), why: .refused(waiting.error)))
        tell(waiting.error, of: child)
        return waiting.writings.reduce(0) { $0 + drop($1, of: child) }
    }

    private func tell(_ error: Errno, of child: String) {
        let trouble = "\(directory)/\(child) takes nothing: \(error); \(error.loggingRemedy)"
        answers.send(.report(.filing(child: child, trouble: trouble)))
    }

    /// Those that were given up are looked at although nobody speaks: what is missing is said, and that it is over.
    mutating func lookAtGivenUp() {
        let now = kernel.monotonic()
        guard now >= nextSaying else { return }
        for (child, trouble) in troubles where !trouble.isWaiting {
            nextSaying = now + FileWriter.sayPause
            guard remark(in: child, nil), case .givenUp(let givenUp) = troubles[child],
                now - givenUp.refused > FileSink.patience
            else { continue }
            troubles[child] = nil
            answers.send(.report(.filing(child: child, trouble: "")))
        }
    }

    /// Lines of this child are missing that no writing of ours held; gives back the weight that is done with.
    mutating func owe(_ lines: Int, to child: String, _ why: FilingTrouble.Reason) -> Int {
        var done = 0
        // What waits was said before them. It may be written yet; after the hang of which we hear there is no more patience.
        if case .waiting(let waiting) = troubles[child] { done += retry(waiting, of: child) }
        switch troubles[child] {
        case .waiting(let waiting): done += giveUp(waiting, of: child)
        case .givenUp: break
        case nil:
            troubles[child] = .givenUp(FilingTrouble.GivenUp(refused: kernel.monotonic(), why: why))
        }
        lose(lines, of: child)
        // At once: what comes behind it is younger.
        _ = remark(in: child, nil)
        return done
    }

    /// Refused by files that were given up.
    mutating func refuse(_ error: Errno, in child: String) {
        guard case .givenUp(var givenUp) = troubles[child] else { return }
        switch givenUp.why {
        case .refused: break
        case .hung, .endedMeanwhile: tell(error, of: child)
        }
        givenUp.refused = kernel.monotonic()
        givenUp.why = .refused(error)
        troubles[child] = .givenUp(givenUp)
    }

    private mutating func lose(_ lines: Int, of child: String) {
        guard case .givenUp(var givenUp) = troubles[child] else { return }
        givenUp.unsaid += lines
        troubles[child] = .givenUp(givenUp)
    }

    /// Lost; gives back its weight.
    mutating func drop(_ writing: Writing, of child: String) -> Int {
        let batch: Batch
        switch writing.content {
        case .batch(let lines): batch = lines
        case .entry(_, let worth):
            lose(worth, of: child)
            return writing.weight
        }
        let rest = UnsafeRawBufferPointer(rebasing: batch.entries[writing.offset...])
        let lines = writing.offset == 0 ? batch.lines : rest.count { $0 == 0x0A }
        lose(lines, of: child)
        release(batch)
        answers.send(settled(batch, bytes: writing.offset, lost: lines))
        return batch.weight
    }

    /// Says in the files of a child what is missing in them. False: they do not take it.
    mutating func remark(in child: String, _ rotation: Rotation?) -> Bool {
        guard case .givenUp(var givenUp) = troubles[child], givenUp.unsaid > 0 else { return true }
        let entry = EntryFormat.entry(
            WallStamp(nanoseconds: kernel.wallClock()), EntryFormat.noRun, .logWriter, .warning,
            text: "\(EntryFormat.missing(givenUp.unsaid)): \(givenUp.why.text)")
        var writing = Writing(content: .entry(entry, worth: 0))
        if let error = write(&writing, into: child, rotation: rotation) {
            refuse(error, in: child)
            return false
        }
        givenUp.unsaid = 0
        troubles[child] = .givenUp(givenUp)
        answers.send(.report(.remarked(child: child)))
        return true
    }
}
