import Chat
import HTTPTypes
import Hummingbird
import NIOCore

/// An answer of one JSON object a line, each sent as it comes; the last is `{"type":"end"}`, `more` or an error, so that an
/// answer that was cut off is known as such.
struct LineAnswer: Sendable {
    /// What comes so soon after the first line goes with it, when the answer is not to be a stream.
    static let grace: Duration = .milliseconds(40)
    /// How long an answer that is not to be a stream waits. A shorter one would say `more` before it could say that a message
    /// is stored.
    static let waits: ClosedRange<Double> = 1...25

    /// Nil: a stream. Else the answer ends after this; one that goes on and on soon after its first line.
    let wait: Duration?
    /// It has an end of its own, which is soon: what it consists of is not cut off for having come slowly.
    let isFinite: Bool
    /// A line of a stream goes out at least this often, so that a dead way is noticed from both ends.
    let beat: Duration
    /// Ends the answer when the device is shut out.
    let streams: LiveStreams
    let device: DeviceID
    /// Of an answer that only tells: it ends when nobody is there any more. Nil: what is asked for is done to its end.
    let connection: Connection?
    /// The answer is over: until now the device was here.
    let left: @Sendable () -> Void

    private enum Over: Sendable {
        case last([UInt8])
        case more
    }

    /// `produce` gives each line to its argument, which waits while the client is slow, and returns the last.
    func response(_ produce: @escaping @Sendable (@escaping ChatService.Sink) async -> [UInt8]) throws -> Response {
        guard let place = streams.open(device) else {
            throw WebError(
                .tooManyRequests, "busy",
                "\(LiveStreams.perDevice) answers are open on this device; close a window of it")
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/x-ndjson", .cacheControl: "no-store, no-transform", .accelBuffering: "no",
            ],
            body: ResponseBody { writer in
                defer {
                    place.leave()
                    left()
                }
                let lines = Lines(writer: writer)
                try await lines.write(await run(produce, lines, place.shutOut))
                try await writer.finish(nil)
            })
    }

    private func run(
        _ produce: @escaping @Sendable (@escaping ChatService.Sink) async -> [UInt8], _ lines: Lines,
        _ shutOut: AsyncStream<Unpaired>
    ) async -> [UInt8] {
        let (first, said) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        return await withTaskGroup(of: Over?.self) { group in
            group.addTask {
                .last(
                    await produce { line in
                        try await lines.write(line)
                        said.yield()
                    })
            }
            group.addTask {
                for await why in shutOut { return .last(WebError(Refused.unpaired(why)).line) }
                return nil
            }
            if let connection {
                group.addTask {
                    for await _ in connection.departure() {}
                    return Task.isCancelled ? nil : .more
                }
            }
            if let wait {
                group.addTask { await Self.pause(wait) ? .more : nil }
                group.addTask {
                    for await _ in first where !isFinite { return await Self.pause(Self.grace) ? .more : nil }
                    return nil
                }
            } else {
                group.addTask {
                    // A write that fails says that nobody is there; the answer's own next one would say so too.
                    while await Self.pause(beat), (try? await lines.write(Self.beatLine)) != nil {}
                    return .more
                }
            }
            for await over in group {
                guard let over else { continue }
                group.cancelAll()
                switch over {
                case .last(let line): return line
                case .more: return Self.moreLine
                }
            }
            return Self.moreLine
        }
    }

    private static func pause(_ time: Duration) async -> Bool { (try? await Task.sleep(for: time)) != nil }

    /// The answer is whole.
    static let endLine = Array(#"{"type":"end"}"#.utf8)
    private static let moreLine = Array(#"{"type":"more"}"#.utf8)
    private static let beatLine = Array(#"{"type":"beat"}"#.utf8)
}

/// Writes lines from several tasks: each is one write, and so is never mixed with another.
private struct Lines: @unchecked Sendable {
    // Hummingbird's writer is a value around NIO's outbound writer, which any task may use at any time.
    let writer: any ResponseBodyWriter

    func write(_ line: [UInt8]) async throws {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(line.count + 1)
        buffer.writeBytes(line)
        buffer.writeInteger(UInt8(ascii: "\n"))
        var writer = writer
        try await writer.write(buffer)
    }
}
