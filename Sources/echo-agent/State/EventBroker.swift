import Foundation
import Synchronization

/// Hands every event to every open event stream. A stream that does not take its events is ended, not waited for: its
/// reader must connect again and read the state anew, as after any lost connection.
final class EventBroker: Sendable {
    /// Frames that wait for one slow reader before it is dropped.
    static let queueLimit = 1024
    /// Open streams at most.
    static let streamLimit = 64

    /// Whose frames are sent.
    let line: Line
    private let view = Mutex(V2View())
    private let readers = Mutex<[UInt64: Reader]>([:])
    private let numbers = Mutex<UInt64>(0)

    init(_ line: Line) { self.line = line }

    /// Which events a stream carries.
    enum Scope: Sendable {
        /// `/event`: those of one directory, bare.
        case directory(String)
        /// `/global/event`: all, wrapped with their directory.
        case global
        /// `/api/event` of 2.x: all, bare.
        case everything
    }

    private struct Reader {
        var scope: Scope
        var continuation: AsyncStream<Data>.Continuation
    }

    /// A new stream, its first frame `server.connected`; nil when there are too many.
    func subscribe(_ scope: Scope) -> AsyncStream<Data>? {
        let number = numbers.withLock { number in
            number += 1
            return number
        }
        let (stream, continuation) = AsyncStream.makeStream(
            of: Data.self, bufferingPolicy: .bufferingOldest(Self.queueLimit))
        let accepted = readers.withLock { readers in
            guard readers.count < Self.streamLimit else { return false }
            readers[number] = Reader(scope: scope, continuation: continuation)
            return true
        }
        guard accepted else { return nil }
        continuation.onTermination = { [weak self] _ in self?.remove(number) }
        continuation.yield(hello(scope))
        return stream
    }

    private func hello(_ scope: Scope) -> Data {
        switch line {
        case .v1: EventFrame(type: "server.connected", properties: NoProperties()).bytes(for: scope)
        case .v2: V2Event.connected
        }
    }

    /// One event of a directory to whom it concerns.
    func publish<Properties: V2Visible>(_ type: String, _ properties: Properties, directory: String) {
        let everyone = readers.withLock { $0 }
        switch line {
        case .v1:
            let frame = EventFrame(type: type, properties: properties, directory: directory)
            for (number, reader) in everyone {
                if case .directory(let own) = reader.scope, own != directory { continue }
                deliver(frame.bytes(for: reader.scope), to: reader, number: number)
            }
        case .v2:
            for frame in view.withLock({ $0.frames(of: type, properties, directory: directory) }) {
                for (number, reader) in everyone { deliver(frame, to: reader, number: number) }
            }
        }
    }

    /// A heartbeat to every stream; called every `line.heartbeat`.
    func beat() {
        let frame = EventFrame(type: "server.heartbeat", properties: NoProperties())
        for (number, reader) in readers.withLock({ $0 }) {
            deliver(line == .v1 ? frame.bytes(for: reader.scope) : V2Event.heartbeat, to: reader, number: number)
        }
    }

    /// What the last process left.
    func remember(_ sessions: [Session]) { view.withLock { $0.remember(sessions) } }

    /// True for a form that was answered or put aside.
    func isSettled(_ form: String) -> Bool { view.withLock { $0.settled.contains(form) } }

    private func deliver(_ bytes: Data, to reader: Reader, number: UInt64) {
        if case .dropped = reader.continuation.yield(bytes) {
            reader.continuation.finish()
            remove(number)
        }
    }

    private func remove(_ number: UInt64) {
        readers.withLock { _ = $0.removeValue(forKey: number) }
    }
}

/// Properties of events that have none.
struct NoProperties: Encodable {}

/// One event of 1.x in both forms of the wire: `data: {…}` and an empty line.
struct EventFrame<Properties: Encodable> {
    private let event: Event
    private let directory: String?

    private struct Event: Encodable {
        var id: String
        var type: String
        var properties: Properties
    }

    private struct Wrapped: Encodable {
        var directory: String
        var project = "global"
        var payload: Event
    }

    /// `directory` is nil for events of the server itself; opencode's own document wants one, real servers leave it out
    /// or say `global`.
    init(type: String, properties: Properties, directory: String? = nil) {
        event = Event(id: Identifier.event(), type: type, properties: properties)
        self.directory = directory
    }

    /// The frame as it goes out to a stream of that scope.
    func bytes(for scope: EventBroker.Scope) -> Data {
        let json =
            switch scope {
            case .directory, .everything: try? JSON.encode(event)
            case .global: try? JSON.encode(Wrapped(directory: directory ?? "global", payload: event))
            }
        return Data("data: ".utf8) + (json ?? Data("{}".utf8)) + Data("\n\n".utf8)
    }
}
