import Chat
import Synchronization

/// The answers that are being streamed to devices, so that those of a device that is shut out end at once.
final class LiveStreams: Sendable {
    /// Streams that one device may have open.
    static let perDevice = 16

    /// A place among the answers of a device. It is free again when nobody holds this any more, also when the answer was never
    /// begun because its connection had gone.
    final class Place: Sendable {
        /// Says why the device is none any more, when that is so.
        let shutOut: AsyncStream<Unpaired>
        private let number: Int
        private let all: LiveStreams

        fileprivate init(_ shutOut: AsyncStream<Unpaired>, _ number: Int, _ all: LiveStreams) {
            self.shutOut = shutOut
            self.number = number
            self.all = all
        }

        deinit { leave() }

        /// The answer is over.
        func leave() { all.close(number) }
    }

    private struct Stream {
        var device: DeviceID
        var end: AsyncStream<Unpaired>.Continuation
    }
    private struct State {
        var last = 0
        var streams: [Int: Stream] = [:]
    }
    private let state = Mutex(State())

    /// Nil: it has too many.
    func open(_ device: DeviceID) -> Place? {
        let (stream, end) = AsyncStream<Unpaired>.makeStream()
        let number: Int? = state.withLock { state in
            guard state.streams.values.count(where: { $0.device == device }) < Self.perDevice else { return nil }
            state.last += 1
            state.streams[state.last] = Stream(device: device, end: end)
            return state.last
        }
        return number.map { Place(stream, $0, self) }
    }

    private func close(_ number: Int) { state.withLock { $0.streams.removeValue(forKey: number) }?.end.finish() }

    /// Ends those of a device, and says why.
    func end(of device: DeviceID, _ why: Unpaired) {
        let ends = state.withLock { state in
            state.streams.values.filter { $0.device == device }.map(\.end)
        }
        for end in ends { end.yield(why) }
    }

    /// Whether an answer to a device is open.
    func has(_ device: DeviceID) -> Bool { state.withLock { $0.streams.values.contains { $0.device == device } } }

    /// How many there are.
    var count: Int { state.withLock { $0.streams.count } }
}
