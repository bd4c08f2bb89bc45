import Synchronization
import Wire

/// What came of one stream and was not taken yet; bounded by the credit that was granted.
final class StreamBuffer: Sendable {
    private struct State {
        var chunks: [[UInt8]] = []
        var first = 0
        /// Bytes that may still come: what was granted less what came.
        var window = FrameHeader.streamWindow
        /// Bytes that were taken and not granted anew.
        var consumed = 0
        var end: Result<Void, any Error>?
        var waiter: CheckedContinuation<Next, Never>?
    }

    /// What the reader of a stream gets.
    enum Next: Sendable {
        case chunk([UInt8])
        /// Bytes of credit to grant before asking again.
        case grant(Int)
        case ended(Result<Void, any Error>)
    }

    private let state = Mutex(State())

    /// A `stream` frame's cost in credit: a flood of tiny frames must be bounded too.
    static func cost(_ payload: [UInt8]) -> Int { payload.count + FrameHeader.byteCount }

    /// Takes in a chunk; false when the sender had no credit for it.
    func put(_ payload: [UInt8]) -> Bool {
        let cost = StreamBuffer.cost(payload)
        return resume { state in
            guard state.window >= cost else { return false }
            state.window -= cost
            if state.end == nil { state.chunks.append(payload) }
            return true
        }
    }

    /// Ends the stream; the first end counts. What came before can still be read.
    func end(_ result: Result<Void, any Error>) {
        resume { state in if state.end == nil { state.end = result } }
    }

    /// The next chunk or the end; at most one task may wait.
    func next() async -> Next {
        await withCheckedContinuation { continuation in
            let (next, second) = state.withLock { state -> (Next?, CheckedContinuation<Next, Never>?) in
                if let next = StreamBuffer.take(&state) { return (next, nil) }
                // Nothing is left to read: everything consumed is granted, or a sender that keeps to less than a whole
                // window would wait for ever.
                if state.consumed > 0 { return (StreamBuffer.grant(&state), nil) }
                defer { state.waiter = continuation }
                return (nil, state.waiter)
            }
            second?.resume(returning: .ended(.failure(BusError(.failed, "two tasks read the same stream"))))
            if let next { continuation.resume(returning: next) }
        }
    }

    @discardableResult
    private func resume<Value>(_ change: (inout State) -> Value) -> Value {
        let (value, waiter, next) = state.withLock { state in
            let value = change(&state)
            guard let waiter = state.waiter, let next = StreamBuffer.take(&state) else {
                return (value, CheckedContinuation<Next, Never>?.none, Next?.none)
            }
            state.waiter = nil
            return (value, waiter, next)
        }
        if let next { waiter?.resume(returning: next) }
        return value
    }

    private static func take(_ state: inout State) -> Next? {
        // Half a window at a time while there is more to read: a fast stream of small frames costs few credit frames.
        if state.consumed >= FrameHeader.streamWindow / 2, state.end == nil { return grant(&state) }
        guard state.first < state.chunks.count else { return state.end.map(Next.ended) }
        let chunk = state.chunks[state.first]
        state.chunks[state.first] = []
        state.first += 1
        if state.first == state.chunks.count {
            state.chunks.removeAll(keepingCapacity: true)
            state.first = 0
        }
        state.consumed += cost(chunk)
        return .chunk(chunk)
    }

    private static func grant(_ state: inout State) -> Next {
        defer { state.consumed = 0 }
        state.window += state.consumed
        return .grant(state.consumed)
    }
}
