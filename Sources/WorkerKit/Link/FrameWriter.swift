import Foundation
import Glibc
import Wire

/// Writes frames to the pipe in order, on a thread of its own, so that a full pipe never blocks a task or the reader.
///
/// The queue is bounded: whoever sends data first awaits `room()`. `post` itself never waits, so the reader may use it for
/// the small frames whose number something else bounds (one `credit` a window, one `error` a request, …); a queue that
/// grows to `hardLimit` all the same belongs to a link that is not working: it is closed.
final class FrameWriter: @unchecked Sendable {
    // @unchecked: everything mutable is touched only with `condition` locked; NSCondition is needed because the
    // writing thread must sleep outside of Swift concurrency, and Mutex has no condition variable.
    private let condition = NSCondition()
    private let descriptor: Int32
    private var queue: [UInt8] = []
    private var isWriting = false
    private var state = State.open
    private var waiters: [CheckedContinuation<Void, Never>] = []

    private enum State { case open, finishing, closed }

    static let queueLimit = 256 * 1024
    static let hardLimit = 4 * 1024 * 1024

    init(descriptor: Int32) {
        self.descriptor = descriptor
        let thread = Thread { [self] in run() }
        thread.name = "bus writer"
        thread.start()
    }

    /// Queues a frame; false when the link is closed.
    @discardableResult
    func post(_ frame: Frame) -> Bool {
        condition.withLock {
            guard state == .open, queue.count < FrameWriter.hardLimit else {
                state = .closed
                return false
            }
            if writeAtOnce(frame) { return true }
            frame.append(to: &queue)
            condition.broadcast()
            return true
        }
    }

    /// Waits while more than `queueLimit` bytes are queued.
    func room() async {
        await withCheckedContinuation { continuation in
            let waits = condition.withLock {
                let waits = state == .open && queue.count > FrameWriter.queueLimit
                if waits { waiters.append(continuation) }
                return waits
            }
            if !waits { continuation.resume() }
        }
    }

    /// Lets what is queued go out, at most until `deadline`; then the link takes nothing more.
    func finish(within limit: TimeInterval) {
        let deadline = Date(timeIntervalSinceNow: limit)
        let left = condition.withLock {
            if state == .open { state = .finishing }
            condition.broadcast()
            while state == .finishing, !queue.isEmpty || isWriting {
                if !condition.wait(until: deadline) { break }
            }
            state = .closed
            condition.broadcast()
            return takeWaiters()
        }
        for waiter in left { waiter.resume() }
    }

    /// A small frame for an empty queue goes out without waking the thread: when poll(2) says a pipe is writable there
    /// is room for PIPE_BUF bytes (pipe(7)), and nobody else writes while the lock is held.
    private func writeAtOnce(_ frame: Frame) -> Bool {
        guard queue.isEmpty, !isWriting, frame.byteCount <= Int(PIPE_BUF) else { return false }
        var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard Glibc.poll(&poll, 1, 0) == 1, poll.revents == Int16(POLLOUT) else { return false }
        let written = frame.bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        return written == frame.byteCount
    }

    private func run() {
        var batch: [UInt8] = []
        while true {
            batch.removeAll(keepingCapacity: true)
            let (isOver, woken) = condition.withLock {
                isWriting = false
                condition.broadcast()
                while queue.isEmpty, state == .open { condition.wait() }
                swap(&batch, &queue)
                isWriting = !batch.isEmpty && state != .closed
                return (!isWriting, takeWaiters())
            }
            for waiter in woken { waiter.resume() }
            if isOver || !writeAll(batch) { break }
        }
        let left = condition.withLock {
            state = .closed
            isWriting = false
            queue = []
            condition.broadcast()
            return takeWaiters()
        }
        for waiter in left { waiter.resume() }
    }

    private func takeWaiters() -> [CheckedContinuation<Void, Never>] {
        defer { waiters = [] }
        return waiters
    }

    private func writeAll(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var offset = 0
            while offset < bytes.count {
                let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
                if count > 0 { offset += count } else if errno != EINTR { return false }
            }
            return true
        }
    }
}
