import Foundation
import Synchronization
import Testing
import Wire

@testable import WorkerKit

@Suite(.timeLimit(.minutes(1))) struct BusStreamTests {
    @Test func stream_arrivesInOrderAndEnds() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        pair.server.serve { _, responder in
            for number in 0..<1000 { try? await responder.send(Array("\(number)".utf8)) }
            await responder.end()
        }
        var received: [String] = []
        for try await payload in try await pair.asker.stream("server", []) {
            received.append(String(decoding: payload, as: UTF8.self))
        }
        #expect(received == (0..<1000).map(String.init))
        #expect(pair.shell.openRequests == 0)
    }

    @Test(arguments: [0, 1, 1000, 32_752, 65_520]) func muchMoreThanAWindow_goesThrough(_ size: Int) async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        let count = 4_000_000 / (size + 400)
        pair.server.serve { _, responder in
            do {
                for _ in 0..<count { try await responder.send([UInt8](repeating: 7, count: size)) }
            } catch {
                Issue.record(error)
            }
            await responder.end()
        }
        var frames = 0
        for try await payload in try await pair.asker.stream("server", []) {
            #expect(payload.count == size)
            frames += 1
        }
        #expect(frames == count)
    }

    @Test func slowReader_holdsTheSenderBack() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        let sent = Mutex(0)
        let (held, hold) = AsyncStream<Void>.makeStream()
        pair.server.serve { _, responder in
            while true {
                guard (try? await responder.send([UInt8](repeating: 1, count: 1008))) != nil else { return }
                if sent.withLock({ count in
                    count += 1
                    return count == 64
                }) {
                    hold.yield()
                }
            }
        }
        let stream = try await pair.asker.stream("server", [])
        for await _ in held { break }
        // One more would need credit that nobody has given; there is no event for what does not happen.
        try await Task.sleep(for: .milliseconds(50))
        #expect(sent.withLock { $0 } == 64)
        var iterator = stream.makeAsyncIterator()
        for _ in 0..<200 { #expect(try await iterator.next()?.count == 1008) }
        stream.cancel()
    }

    @Test func manyStreams_shareTheWayFairly() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        pair.server.serve { _, responder in
            do {
                for _ in 0..<200 { try await responder.send([UInt8](repeating: 1, count: 2000)) }
                await responder.end()
            } catch {
                // Only the sleeper's stream may be cut, and only by the end of the test.
                #expect(error is CancellationError || error as? BusError == .closed)
            }
        }
        // The first is never read: it must hold up none of the others.
        let sleeper = try await pair.asker.stream("server", [])
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    var count = 0
                    for try await _ in try await pair.asker.stream("server", []) { count += 1 }
                    return count
                }
            }
            for try await count in group { #expect(count == 200) }
        }
        sleeper.cancel()
    }

    @Test func streamOfNexusd_knowsNoCredit_andGoesOnBeyondAWindow() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        var iterator = try await pair.asker.follow("events").makeAsyncIterator()
        for await case .request(let id, _, let words) in pair.shell.decisions {
            #expect(words == Array("events".utf8))
            // Two windows of 64 KiB; credit for it would be a frame that makes no sense, and end this link.
            for number in 0..<128 {
                pair.shell.stream(id, [UInt8](repeating: UInt8(number), count: 1024))
                #expect(try await iterator.next()?.first == UInt8(number))
            }
            pair.shell.endStream(id)
            break
        }
        #expect(try await iterator.next() == nil)
    }

    @Test func failedStream_throwsItsError() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        pair.server.serve { _, responder in
            try? await responder.send([1])
            await responder.fail(.failed, "half way")
        }
        await #expect(throws: BusError(.failed, "half way")) {
            for try await _ in try await pair.asker.stream("server", []) {}
        }
    }

    @Test func readerLeaves_theSenderHears() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        let (ended, end) = AsyncStream<Bool>.makeStream()
        pair.server.serve { _, responder in
            do {
                while true { try await responder.send([UInt8](repeating: 1, count: 1000)) }
            } catch {
                end.yield(error is CancellationError)
            }
        }
        do {
            // Let go of after one element: the deinit of the last holder is the word that nobody listens.
            for try await _ in try await pair.asker.stream("server", []) { break }
        }
        for await wasCancelled in ended {
            #expect(wasCancelled)
            break
        }
    }

    @Test func tooLongAFrame_isRefusedHere() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        pair.server.serve { _, responder in
            await #expect { try await responder.send([UInt8](repeating: 1, count: 65_521)) } throws: {
                ($0 as? BusError)?.code == .tooLarge
            }
            await responder.end()
        }
        for try await _ in try await pair.asker.stream("server", []) {}
    }
}
