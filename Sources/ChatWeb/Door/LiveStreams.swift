import Chat
import Synchronization

/// The answers that are being streamed to devices, so that a revoked device's end at once.
final class LiveStreams: Sendable {
    /// Streams that one device may have open.
    static let perDevice = 16

    private struct Stream {
        var device: DeviceID
        var end: AsyncStream<Never>.Continuation
    }
    private struct State {
        var last = 0
        var streams: [Int: Stream] = [:]
    }
    private let state = Mutex(State())

    /// A stream that ends when the device is revoked, and the number to `close` it by; nil: it has too many.
    func open(_ device: DeviceID) -> (number: Int, revoked: AsyncStream<Never>)? {
        let (stream, end) = AsyncStream<Never>.makeStream()
        let number: Int? = state.withLock { state in
            guard state.streams.values.count(where: { $0.device == device }) < Self.perDevice else { return nil }
            state.last += 1
            state.streams[state.last] = Stream(device: device, end: end)
            return state.last
        }
        return number.map { ($0, stream) }
    }

    /// The answer is over.
    func close(_ number: Int) { state.withLock { $0.streams.removeValue(forKey: number) }?.end.finish() }

    /// Ends those of a device.
    func revoke(_ device: DeviceID) {
        let ends = state.withLock { state in
            state.streams.values.filter { $0.device == device }.map(\.end)
        }
        for end in ends { end.finish() }
    }

    /// How many there are.
    var count: Int { state.withLock { $0.streams.count } }
}
