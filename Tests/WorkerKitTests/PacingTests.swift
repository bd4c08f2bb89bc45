import Foundation
import Synchronization
import Testing
import Wire

@testable import WorkerKit

/// Streams to one peer share what nexusd queues of one sender for it, also when that peer is late.
@Suite(.timeLimit(.minutes(1))) struct PacingTests {
    @Test(arguments: [2000, 16_000, 65_520]) func lateReceiver_cutsNoStream(_ size: Int) async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        let (began, begin) = AsyncStream<Void>.makeStream()
        pair.server.serve { _, responder in
            begin.yield()
            do {
                for _ in 0..<10 { try await responder.send([UInt8](repeating: 1, count: size)) }
                await responder.end()
            } catch {
                // Only the sleeper's stream may be cut, and only by the end of the test.
                #expect(error is CancellationError || error as? BusError == .closed)
            }
        }
        pair.shell.hold(Pair.askerPeer)
        let sleeper = try await pair.asker.stream("server", [])
        var streams: [BusStream] = []
        for _ in 0..<40 { streams.append(try await pair.asker.stream("server", [])) }
        var count = 0
        for await _ in began {
            count += 1
            if count == 41 { break }
        }
        // All of them want to send; there is no event for a stream that is not cut.
        try await Task.sleep(for: .milliseconds(50))
        pair.shell.release(Pair.askerPeer)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for stream in streams {
                group.addTask {
                    var count = 0
                    for try await _ in stream { count += 1 }
                    return count
                }
            }
            for try await count in group { #expect(count == 10) }
        }
        sleeper.cancel()
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["NEXUS_LONG"] == "1"), arguments: [1, 40])
    func throughput_isPrinted(_ streams: Int) async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        let frames = 20_000 / streams
        pair.server.serve { _, responder in
            for _ in 0..<frames { try? await responder.send([UInt8](repeating: 1, count: 2000)) }
            await responder.end()
        }
        let clock = ContinuousClock()
        let time = try await clock.measure {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<streams {
                    group.addTask { for try await _ in try await pair.asker.stream("server", []) {} }
                }
                try await group.waitForAll()
            }
        }
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
        print("\(streams) streams: \((Double(frames * streams * 2000) / 1e6 / seconds).rounded()) MB/s")
    }
}
