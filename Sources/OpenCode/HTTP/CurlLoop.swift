import CCurl
import Glibc
import Synchronization

/// All calls to opencode on one thread of its own, by libcurl's multi interface (libcurl-multi(3)).
///
/// One thread, not one per call: a turn has an event stream that stays open for hours beside short calls, connections
/// are kept and reused between these, and calling a transfer off is a matter of that one thread. Swift's concurrency
/// threads never wait in curl.
public final class CurlLoop: Sendable {
    private let core: Core

    /// Starts the thread.
    public init() throws(AgentFailure) {
        // 3 is CURL_GLOBAL_ALL, a macro that Swift does not see. Safe from any thread since libcurl 7.84.
        guard curl_global_init(3) == CURLE_OK, let multi = curl_multi_init() else {
            throw AgentFailure(.failed, "libcurl cannot start: memory is out")
        }
        core = Core(multi: multi)
        try core.startThread()
    }

    deinit { core.post(.stop) }

    /// Makes a call and gives its whole answer.
    func send(_ call: HTTPCall, to endpoint: AgentEndpoint) async throws(HTTPFailure) -> HTTPAnswer {
        let collector = AnswerCollector()
        let number = core.nextNumber()
        let result: Result<HTTPAnswer, HTTPFailure> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                start(call, to: endpoint, number, collector.receiver { continuation.resume(returning: $0) })
                // A cancellation that came before the start found nothing to call off.
                if Task.isCancelled { core.post(.cancel(number)) }
            }
        } onCancel: {
            core.post(.cancel(number))
        }
        return try result.get()
    }

    /// Makes a call whose answer is read as it comes; letting go of the stream ends the call. A reader that is more
    /// than `Limits.streamChunks` behind loses the connection.
    func open(_ call: HTTPCall, to endpoint: AgentEndpoint) -> AsyncStream<StreamInput> {
        let (stream, continuation) = AsyncStream<StreamInput>.makeStream(
            bufferingPolicy: .bufferingOldest(Limits.streamChunks))
        let number = core.nextNumber()
        continuation.onTermination = { [core] _ in core.post(.cancel(number)) }
        let receiver = CurlTransfer.Receiver(
            head: { continuation.yield(.head($0)) },
            bytes: {
                if case .enqueued = continuation.yield(.bytes([UInt8]($0))) { return true }
                return false
            },
            end: { failure in
                continuation.yield(.ended(failure))
                continuation.finish()
            })
        start(call, to: endpoint, number, receiver)
        return stream
    }

    private func start(
        _ call: HTTPCall, to endpoint: AgentEndpoint, _ number: UInt64, _ receiver: CurlTransfer.Receiver
    ) {
        guard let transfer = CurlTransfer(call, to: endpoint, receiver) else {
            return receiver.end(.broken("memory is out"))
        }
        core.post(.start(number, transfer))
    }
}

/// What an open stream gives.
enum StreamInput: Sendable {
    case head(HTTPHead)
    case bytes([UInt8])
    /// The last; missing when the reader was too slow.
    case ended(HTTPFailure?)
}

/// Puts an answer together.
private final class AnswerCollector: Sendable {
    private let answer = Mutex(HTTPAnswer(head: HTTPHead(), body: []))

    func receiver(
        _ done: @escaping @Sendable (Result<HTTPAnswer, HTTPFailure>) -> Void
    ) -> CurlTransfer.Receiver {
        CurlTransfer.Receiver(
            head: { head in self.answer.withLock { $0.head = head } },
            bytes: { bytes in
                self.answer.withLock { $0.body.append(contentsOf: bytes) }
                return true
            },
            end: { failure in
                if let failure { return done(.failure(failure)) }
                done(.success(self.answer.withLock { $0 }))
            })
    }
}
