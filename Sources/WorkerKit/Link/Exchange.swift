import Foundation
import Synchronization
import Wire

/// The tables behind a `Bus`: what this worker asked, what it was asked, who listens. The reader thread puts frames in,
/// tasks wait on continuations; one lock, never held while anything waits.
final class Exchange: Sendable {
    struct State: ~Copyable {
        var welcome: Result<Welcome, BusError>?
        var greeting: CheckedContinuation<Result<Welcome, BusError>, Never>?
        var lastCount: UInt32 = 0
        var asked: [FrameID: Asked] = [:]
        var served: [FrameID: Served] = [:]
        /// What goes with requests of ours: their uploads.
        var uploads: [FrameID: Flow] = [:]
        /// What is on the way to each peer that something is on the way to.
        var ways: [PeerID: Way] = [:]
        var running = 0
        var idle: [CheckedContinuation<Void, Never>] = []
        var handler: Handler?
        var early: [IncomingRequest] = []
        var values: [String: String] = [:]
        /// Whom this worker may address, as of the welcome or of the last reload.
        var peers: [String: PeerID] = [:]
        var may: [String] = []
        var clients: [PeerID: IncomingRequest.Client] = [:]
        var drainers: [@Sendable () async -> Void] = []
        var isDraining = false
        var isClosed = false
        var listeners: [Int: AsyncStream<BusEvent>.Continuation] = [:]
        var lastListener = 0

        /// The next id of this incarnation; 0 is no id.
        mutating func nextID(_ epoch: Epoch) -> FrameID {
            lastCount = lastCount == .max ? 1 : lastCount + 1
            return FrameID(epoch: epoch, count: lastCount)
        }
    }

    typealias Handler = @Sendable (IncomingRequest, Responder) async -> Void

    /// A request of ours that is open.
    enum Asked {
        /// Waits for one answer; large answers come in pieces and are put together here.
        case reply(CheckedContinuation<Result<[UInt8], any Error>, Never>, PeerID, pieces: [UInt8])
        case stream(StreamBuffer, PeerID)

        var peer: PeerID {
            switch self {
            case .reply(_, let peer, _): peer
            case .stream(_, let peer): peer
            }
        }
    }

    /// Requests that may wait for `serve` to be called, and that may be served at the same time.
    static let earlyLimit = 64
    static let servedLimit = 256
    /// Longest answer in pieces that is put together.
    static let answerLimit = 4 * 1024 * 1024

    let state = Mutex(State())
    let writer: FrameWriter
    let endings: AsyncStream<Bus.Ending>
    let ending: AsyncStream<Bus.Ending>.Continuation

    init(writer: FrameWriter) {
        self.writer = writer
        (endings, ending) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(8))
    }

    // MARK: - From the reader thread

    func received(_ frame: Frame) {
        switch frame.header.kind {
        case .welcome: greet(frame.payload)
        case .request: accept(frame)
        case .reply, .error, .stream, .end: settle(frame)
        case .cancel: cancelServed(frame.header.id)
        case .credit: credit(frame)
        case .event: announce(BusEvent(payload: frame.payload, from: frame.header.peer))
        case .ping: writer.post(Frame(.pong, peer: .nexusd, id: frame.header.id, payload: frame.payload))
        case .drain: drain()
        case .pong: pong(frame)
        // The rest goes from workers to nexusd only.
        case .hello, .drained, .ready, .status, .health: break
        }
    }

    private func greet(_ payload: [UInt8]) {
        let result: Result<Welcome, BusError>
        do {
            result = .success(try JSONDecoder().decode(Welcome.self, from: Data(payload)))
        } catch {
            result = .failure(BusError(.failed, "nexusd's welcome cannot be read: \(error)"))
        }
        let waiting = state.withLock { state in
            state.welcome = result
            if case .success(let welcome) = result {
                state.values = welcome.values
                state.peers = welcome.peers
                state.may = welcome.may
            }
            defer { state.greeting = nil }
            return state.greeting
        }
        waiting?.resume(returning: result)
    }

    func welcome() async throws -> Welcome {
        let result = await withCheckedContinuation { continuation in
            let known = state.withLock { state in
                if state.welcome == nil { state.greeting = continuation }
                return state.welcome
            }
            if let known { continuation.resume(returning: known) }
        }
        return try result.get()
    }

    /// The link is over: everything open fails, waiting senders stop.
    func close(_ fault: String?) {
        let (asked, waiters, tasks, listeners, greeting) = state.withLock { state in
            state.isClosed = true
            if state.welcome == nil { state.welcome = .failure(.closed) }
            defer {
                state.asked = [:]
                state.listeners = [:]
                state.greeting = nil
            }
            let flows = state.served.values.map(\.flow) + state.uploads.values
            let waiters = flows.compactMap(\.waiter)
            for entry in state.served.values { entry.upload.end(.failure(BusError.closed)) }
            let tasks = state.served.values.compactMap(\.task)
            state.served = [:]
            state.uploads = [:]
            return (state.asked, waiters, tasks, state.listeners, state.greeting)
        }
        for entry in asked.values { Exchange.finish(entry, .failure(BusError.cutOff)) }
        for waiter in waiters { waiter.resume(returning: .lookAgain) }
        for peer in state.withLock({ Array($0.ways.keys) }) { wakeWay(to: peer) }
        for task in tasks { task.cancel() }
        for listener in listeners.values { listener.finish() }
        greeting?.resume(returning: .failure(.closed))
        ending.yield(.closed(fault: fault))
    }

    static func finish(_ entry: Asked, _ result: Result<[UInt8], any Error>) {
        switch entry {
        case .reply(let continuation, _, _): continuation.resume(returning: result)
        case .stream(let buffer, _): buffer.end(result.map { _ in })
        }
    }
}
