import SupervisorCore
import System
import Wire

/// Taking lines out of pipes.
extension LogWriter {
    /// Begins to read a pipe. One that is none, or whose child's name cannot be a directory, is at its end at once.
    func add(_ order: LogStream, _ fd: consuming OwnedFD, at now: Instant) {
        guard LogFileName.isChild(order.child), let pipeBytes = try? kernel.pipeSize(fd) else {
            note(.unusable(order))
            link.send(.eof(stream: order.number))
            return
        }
        let identity = nextIdentity
        nextIdentity += 1
        let stream = CapturedStream(order, fd: fd, identity: identity, pipeBytes: pipeBytes, now: now)
        streams[identity] = stream
        active.append(stream)
        watch(stream)
    }

    /// Before a pipe is looked at again for which the kernel had no memory.
    static let shortPause: Duration = .milliseconds(100)

    /// Once it is watched, an edge tells that something came. Where the kernel has no room for that, it is looked at again
    /// and again: a pipe that nobody reads would hold its child up, and one that is closed would end it.
    private func watch(_ stream: CapturedStream) {
        guard !stream.isWatched else { return }
        stream.isWatched =
            (try? kernel.watch(
                stream.end.fd, by: epoll, for: [.readable, .edgeTriggered], token: stream.ticket.stream, change: false))
            != nil
    }

    /// A stream that is read already is described anew, after a reload. False when there is none with its number.
    func follow(_ order: LogStream) -> Bool {
        guard let stream = streams.values.first(where: { $0.number == order.number }) else { return false }
        stream.follow(order)
        return true
    }

    /// Looks at a stream as soon as possible; while it was waiting it was perhaps not among the active ones.
    func look(at stream: CapturedStream, from instant: Instant) {
        if case .waiting(until: nil) = stream.phase { active.append(stream) }
        stream.phase = .due(instant)
    }

    /// Looks at every pipe whose time has come.
    func lookAtDue(_ now: Instant) {
        let isStuck = active.isEmpty ? false : files.isStuck(at: now)
        for stream in active {
            switch stream.phase {
            case .due(let instant) where instant <= now: look(stream, now, isStuck: isStuck)
            case .waiting(until: .some(let instant)) where instant <= now: look(stream, now, isStuck: isStuck)
            case .writing(let batch, _) where isStuck && batch.claim():
                // The lines of this batch are in memory still and will be in the file if the disk ever comes back; the child
                // must not wait for that.
                leave(stream, batch.consumed)
                stream.ticket.serial += 1
                look(stream, now, isStuck: true)
            case .held where isStuck || hasRoom(for: stream): look(stream, now, isStuck: isStuck)
            case .waiting, .due, .writing, .held: break
            }
        }
    }

    private func hasRoom(for stream: CapturedStream) -> Bool {
        files.hasRoom && (!stream.target.journal || journal?.hasRoom ?? true)
    }

    private func look(_ stream: CapturedStream, _ now: Instant, isStuck: Bool) {
        guard isStuck || hasRoom(for: stream) else {
            if files.hasRoom { journal?.askForRoom() }
            stream.phase = .held
            return
        }
        do {
            let bytes = try peek.look(stream.end.fd, pipeBytes: stream.pipeBytes)
            if bytes.isEmpty {
                close(stream)
            } else if isStuck {
                drop(bytes, of: stream, now)
            } else {
                take(bytes, of: stream, now)
            }
        } catch  where error == .again {
            _ = stream.leave(0, tookSome: true, now: now)
            watch(stream)
            stream.phase = .waiting(until: stream.isWatched ? nil : now + LogWriter.shortPause)
        } catch  where error == .noMemory {
            stream.phase = .due(now + LogWriter.shortPause)
        } catch {
            note(.unreadable(stream.target, error))
            close(stream)
        }
    }

    /// Makes a batch of what stands in the pipe and hands it to the writers.
    private func take(_ bytes: UnsafeRawBufferPointer, of stream: CapturedStream, _ now: Instant) {
        let isNew = bytes.count != stream.unfinished?.bytes
        let isAll = stream.hasHungUp && (try? kernel.readableBytes(stream.end.fd)) == bytes.count
        let prefix = EntryFormat.prefix(
            WallStamp(nanoseconds: kernel.wallClock()), stream.target.run, stream.target.source)
        let block = blocks.take()
        let result = stream.formatter.format(
            bytes, remainder: stream.remainder(isAll: isAll, isDraining: isDraining, now: now), prefix: prefix,
            into: block.memory, allowance: allowance(of: stream, now)
        ) { text, isPartial in
            guard stream.isMatching, let captures = stream.match(text, isPartial: isPartial) else { return }
            link.send(.matched(stream: stream.number, captures: captures))
        }
        blocks.note(result.written)
        let old = stream.leave(bytes.count - result.consumed, tookSome: result.consumed > 0, now: now)
        stream.pace.found(bytes.count, of: stream.pipeBytes)
        guard result.written > 0 else {
            if result.suppressed > 0 {
                leave(stream, result.consumed)
                stream.growPipe(kernel)
                stream.phase = .due(now + stream.pace.pause)
                return count(result, of: stream, now)
            }
            stream.phase = isNew && !isDraining ? .due(now + Pace.longest) : .waiting(until: isDraining ? nil : old)
            return
        }
        stream.ticket.serial += 1
        let batch = Batch(
            ticket: stream.ticket, target: stream.target, source: stream.end, consumed: result.consumed,
            block: BlockPool.travelling(block, count: result.written), count: result.written,
            prefixBytes: prefix.count, lines: result.lines)
        stream.phase = .writing(batch, since: now)
        files.send(batch)
        if stream.target.journal { journal?.send(batch) }
        count(result, of: stream, now)
    }

    /// The disk hangs: what comes is counted and lost, so that the child does not hang with it.
    private func drop(_ bytes: UnsafeRawBufferPointer, of stream: CapturedStream, _ now: Instant) {
        let lines = max(1, bytes.count { $0 == 0x0A })
        tally.add(stream.target.child, at: now) { $0.dropped += UInt64(lines) }
        if unwritten[stream.target.child] == nil {
            let trouble = "a write to their disk has not returned for 5 s; see `dmesg` for what the kernel says of it"
            link.send(.filing(child: stream.target.child, trouble: trouble))
        }
        unwritten[stream.target.child, default: 0] += lines
        leave(stream, bytes.count)
        stream.phase = .due(now + Pace.longest)
    }

    /// Takes bytes out of the pipe that are given up.
    private func leave(_ stream: CapturedStream, _ bytes: Int) { drain.discard(bytes, of: stream.end.fd) }

    /// A writing thread has done with a batch, and its bytes have left the pipe: that is looked at again when its pause is
    /// over, which has run since the last look: the child went on writing meanwhile.
    func finish(_ ticket: Batch.Ticket) {
        guard let stream = streams[ticket.stream], stream.ticket == ticket, case .writing(_, let since) = stream.phase
        else { return }
        stream.growPipe(kernel)
        stream.phase = .due(isDraining ? since : since + stream.pace.pause)
    }

    private func close(_ stream: CapturedStream) {
        try? kernel.unwatch(stream.end.fd, by: epoll)
        streams[stream.ticket.stream] = nil
        stream.phase = .waiting(until: nil)
        link.send(.eof(stream: stream.number))
    }
}
