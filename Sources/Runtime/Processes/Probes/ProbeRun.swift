public import SupervisorCore
public import System
public import Wire

/// One probe under way. Nothing here waits: the loop watches `fd` or hears of the reaped process, and calls `expire`
/// at the deadline. It ends with exactly one result.
public final class ProbeRun {
    /// What the loop has to do for it.
    public enum State: Hashable, Sendable {
        /// A connect has begun: watch `with` for `writable`, then call `connected`.
        case connecting
        /// A short run: when the reaper brings this process, call `ended`.
        case running(ProcessID)
        /// nexus-probe was asked under this id: when the bus brings the answer, call `answered`.
        case asking(FrameID)
        /// It is over.
        case finished(ProbeVerdict)
    }

    /// Where it stands.
    public private(set) var state: State
    /// When `expire` is due.
    public private(set) var deadline: Instant

    private let kernel: any Kernel
    private let descriptor: OwnedFD?
    /// Of a short run: whether it was executed.
    private let report: OwnedFD?
    /// What a short run says, on both its streams; nil once it has ended or closed them.
    private var output: OwnedFD?
    /// The end of what it has said.
    private var said = ByteRing(capacity: ProbeRun.saidLimit)
    private let timeout: Duration

    /// Bytes of a probe's output that are kept, of which the last line is shown, or the end of it.
    static let saidLimit = 512

    private init(
        _ kernel: any Kernel, _ state: State, _ descriptor: consuming OwnedFD?, _ timeout: Duration, at now: Instant,
        report: consuming OwnedFD? = nil, output: consuming OwnedFD? = nil
    ) {
        self.kernel = kernel
        self.state = state
        self.descriptor = descriptor
        self.report = report
        self.output = output
        self.timeout = timeout
        deadline = now + timeout
    }

    /// connect(2) to a loopback address. Anything that goes wrong is a miss, not an error: that is what a probe is for.
    public static func connect(
        _ kernel: any Kernel, host: String, port: String, timeout: Duration, at now: Instant
    ) -> ProbeRun {
        guard let number = UInt16(port), number > 0, let address = SocketAddress(loopback: host, port: number),
            let socket = try? kernel.makeSocket(address.family, .stream)
        else {
            return ProbeRun(kernel, .finished(.unhealthy("\(host):\(port) is no loopback port")), nil, timeout, at: now)
        }
        do {
            try kernel.connect(socket, to: address)
            return ProbeRun(kernel, .finished(.healthy), nil, timeout, at: now)
        } catch  where error == .inProgress || error == .interrupted {
            return ProbeRun(kernel, .connecting, socket, timeout, at: now)
        } catch {
            return ProbeRun(kernel, .finished(.unhealthy("connect: \(error)")), nil, timeout, at: now)
        }
    }

    /// A short run that was just spawned (`Spawner.spawnProbe`).
    public static func watch(
        _ kernel: any Kernel, _ spawned: consuming Spawned, output: consuming OwnedFD, timeout: Duration,
        at now: Instant
    ) -> ProbeRun {
        ProbeRun(
            kernel, .running(spawned.process), spawned.pidfd, timeout, at: now, report: spawned.report, output: output)
    }

    /// For nexus-probe to keep the timeout itself; one that is silent for so long after it hangs.
    public static let answerGrace: Duration = .seconds(5)

    /// A question that nexus-probe was just asked.
    public static func ask(_ kernel: any Kernel, _ id: FrameID, timeout: Duration, at now: Instant) -> ProbeRun {
        ProbeRun(kernel, .asking(id), nil, timeout + answerGrace, at: now)
    }

    /// What came of the question.
    public func answered(_ verdict: ProbeVerdict) {
        guard case .asking = state else { return }
        state = .finished(verdict)
    }

    /// Watches a connect, or what a short run says; for the other states there is nothing to watch.
    public func watch(with poller: borrowing Poller, token: UInt64) throws(Errno) {
        switch output {
        case .some(let output): return try poller.add(output, token: token)
        case .none: break
        }
        guard state == .connecting else { return }
        switch descriptor {
        case .some(let socket): try poller.add(socket, token: token, for: .writable)
        case .none: break
        }
    }

    /// Leaves the poller; to be called before this object goes, whatever its state.
    public func unwatch(with poller: borrowing Poller) {
        switch descriptor {
        case .some(let socket): poller.remove(socket)
        case .none: break
        }
        close(poller)
    }

    private func close(_ poller: borrowing Poller) {
        switch output {
        case .some(let output): poller.remove(output)
        case .none: return
        }
        output = nil
    }

    /// Takes some of what it says; at the end there is nothing to watch any more.
    public func listen(with poller: borrowing Poller, _ scratch: UnsafeMutableRawBufferPointer) {
        if take(scratch) == nil { close(poller) }
    }

    /// How many bytes, 0 when there are none now; nil at the end.
    private func take(_ scratch: UnsafeMutableRawBufferPointer) -> Int? {
        switch output {
        case .some(let output):
            do {
                let count = try kernel.read(output, into: scratch)
                said.append(UnsafeRawBufferPointer(rebasing: scratch[..<count]))
                return count > 0 ? count : nil
            } catch {
                return error == .again ? 0 : nil
            }
        case .none: return nil
        }
    }

    /// `: ` and the last line that it said, if any.
    private var lastLine: String {
        // All that lies in the pipe, which has 64 KiB; a process that it left behind may write on.
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 16) { scratch in
            for _ in 0..<32 { if take(scratch) ?? 0 == 0 { break } }
        }
        guard let line = said.lastLine else { return "" }
        let clean = EscapeSequence.removed(from: line).unicodeScalars.map {
            ControlText.isUnsafe($0) ? " " : Character($0)
        }
        return ": " + String(clean)
    }

    /// The socket is writable or in error: the connect is over.
    public func connected() {
        guard state == .connecting else { return }
        switch descriptor {
        case .some(let socket):
            do throws(Errno) {
                let error = try kernel.pendingError(socket)
                state = .finished(error.map { .unhealthy("connect: \($0)") } ?? .healthy)
            } catch {
                state = .finished(.unhealthy("connect: \(error)"))
            }
        case .none: break
        }
    }

    /// Its process was reaped: healthy if it exited with 0. Nothing changes when the deadline was first.
    public func ended(_ exit: Exit) {
        guard case .running = state else { return }
        switch report {
        case .some(let report):
            if let failure = kernel.failure(in: report) {
                state = .finished(.unhealthy("the probe cannot be started: \(failure.words)"))
                return
            }
        case .none: break
        }
        state = .finished(exit == .code(0) ? .healthy : .unhealthy("the probe ended with \(exit.words)\(lastLine)"))
    }

    /// The loop was late: its answer may have waited for us.
    public func extend(by lateness: Duration) { deadline = deadline + lateness }

    /// The deadline has passed: a miss. A run that still goes is killed; it is reaped like any other.
    public func expire() {
        switch state {
        case .finished: return
        case .connecting: break
        case .asking:
            state = .finished(.unknown("nexus-probe gave no answer within \(timeout.words)"))
            return
        case .running:
            switch descriptor {
            case .some(let pidfd): try? kernel.signal(pidfd, .kill)
            case .none: break
            }
        }
        state = .finished(.unhealthy("no answer within \(timeout.words)\(lastLine)"))
    }
}
