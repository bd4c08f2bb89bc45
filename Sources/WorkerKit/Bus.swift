import Foundation
import Glibc
public import Wire

/// A worker's end of the bus.
///
///     let bus = try await Bus.connect(name: "agent-worker")
///     bus.serve { request, responder in await responder.reply(request.payload) }
///     bus.ready()
///
/// Safe to use from any task. Everything is bounded: 256 requests served at a time, one window of credit a stream,
/// 256 KiB waiting to be written.
public final class Bus: Sendable {
    /// What nexusd said first.
    public let welcome: Welcome
    let exchange: Exchange

    private init(_ exchange: Exchange, _ welcome: Welcome) {
        self.exchange = exchange
        self.welcome = welcome
    }

    /// How a link ends.
    public enum Ending: Hashable, Sendable {
        /// nexusd said drain, everything is done and `drained` was sent.
        case drained
        /// No more frames come: nexusd ended, or closed this link. With the fault, when it was no clean end.
        case closed(fault: String?)
    }

    /// Says hello and waits for the welcome. `read` and `write` are blocking descriptors, 3 and 4 in a worker; they
    /// stay open until the process ends.
    public static func connect(name: String, read: Int32 = 3, write: Int32 = 4) async throws -> Bus {
        guard fcntl(read, F_GETFD) >= 0, fcntl(write, F_GETFD) >= 0 else {
            throw BusError(.unavailable, "file descriptors \(read) and \(write) are not open: start me by nexusd")
        }
        // A nexusd that is gone is told by the failing write, not by a signal.
        signal(SIGPIPE, SIG_IGN)
        let exchange = Exchange(writer: FrameWriter(descriptor: write))
        exchange.writer.post(Frame(.hello, peer: .nexusd, id: .none, payload: Array("1 1 \(name)".utf8)))
        FrameReader.start(descriptor: read) {
            exchange.received($0)
        } ended: {
            exchange.close($0)
        }
        return Bus(exchange, try await exchange.welcome())
    }

    /// The number of a worker that this one may address now; a reload may have changed what `welcome` said.
    public func peer(named name: String) -> PeerID? { exchange.state.withLock { $0.peers[name] } }

    /// This worker's name in Supervisor.toml.
    public var name: String { welcome.name }

    /// What this worker may ask of nexusd now, in the words of Supervisor.toml.
    public var may: [String] { exchange.state.withLock { $0.may } }

    // MARK: - About this worker

    /// This worker serves; its `ready` rule is `bus`.
    public func ready() { tell(.ready, []) }

    /// One line for `nexusctl status`; cut at 256 bytes by nexusd.
    public func status(_ line: String) { tell(.status, Array(line.utf8.prefix(1024))) }

    /// How a sibling is; Supervisor.toml must grant `health:CHILD`.
    public func health(of child: String, healthy: Bool, why: String = "") {
        tell(.health, Array("\(child) \(healthy ? "healthy" : "unhealthy \(why)")".utf8.prefix(1024)))
    }

    private func tell(_ kind: FrameKind, _ payload: [UInt8]) {
        exchange.writer.post(Frame(kind, peer: .nexusd, id: .none, payload: payload))
    }

    // MARK: - What happens

    /// Captured values of siblings, as of now.
    public var values: [String: String] { exchange.state.withLock { $0.values } }

    /// The values now, and again each time they change; a slow reader sees only the newest.
    public func valueUpdates() -> AsyncStream<[String: String]> {
        let events = events()
        let (stream, continuation) = AsyncStream<[String: String]>.makeStream(bufferingPolicy: .bufferingNewest(1))
        continuation.yield(values)
        let task = Task {
            for await case .values(let values) in events { continuation.yield(values) }
            continuation.finish()
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }

    /// What happens from now on; a slow reader loses the oldest beyond 256.
    public func events() -> AsyncStream<BusEvent> { exchange.listen() }

    /// Done when nexusd says drain: no new requests come by then; those being served are waited for afterwards.
    public func onDrain(_ body: @escaping @Sendable () async -> Void) {
        exchange.state.withLock { $0.drainers.append(body) }
    }

    /// True once the link is over: nothing goes out or comes in any more.
    public var isClosed: Bool { exchange.state.withLock { $0.isClosed } }

    /// True from the drain word on.
    public var isDraining: Bool { exchange.state.withLock { $0.isDraining } }

    /// How this link ends; for one reader (`Worker.run`).
    public var endings: AsyncStream<Ending> { exchange.endings }

    /// Writes out what is queued, at most for `limit` seconds; nothing can be sent afterwards. Blocks its thread: it
    /// is the last thing a worker does.
    public func finish(within limit: TimeInterval = 1) { exchange.writer.finish(within: limit) }
}
