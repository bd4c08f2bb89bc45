import Synchronization
import Testing
import Wire

@testable import WorkerKit

/// What goes with a request, against nexusd's real router.
@Suite(.timeLimit(.minutes(1))) struct UploadTests {
    /// Bytes that tell their place.
    private static func piece(_ number: Int, _ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: number &* 31 &+ $0) }
    }

    @Test(arguments: [1, 1000, 32_752, 65_520]) func muchMoreThanAWindow_arrivesWholeAndInOrder(_ size: Int)
        async throws
    {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        let count = size == 1 ? 5000 : 4_000_000 / size
        pair.server.serve { _, responder in
            do {
                var number = 0
                for try await piece in responder.upload {
                    #expect(piece == Self.piece(number, size))
                    number += 1
                }
                await responder.reply("\(number)")
            } catch {
                Issue.record("\(error)")
            }
        }
        let answer = try await pair.asker.stream("server", Array("take".utf8)) { send in
            for number in 0..<count { try await send(Self.piece(number, size)) }
        }
        var frames: [[UInt8]] = []
        for try await frame in answer { frames.append(frame) }
        // A reply to who asked for a stream is its end.
        #expect(frames.isEmpty)
    }

    @Test func uploadAndAnswer_goAtTheSameTime() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        pair.server.serve { _, responder in
            do {
                for try await piece in responder.upload { try await responder.send(piece) }
                await responder.end()
            } catch {
                Issue.record("\(error)")
            }
        }
        let answer = try await pair.asker.stream("server", []) { send in
            for number in 0..<300 { try await send(Self.piece(number, 5000)) }
        }
        var number = 0
        for try await frame in answer {
            #expect(frame == Self.piece(number, 5000))
            number += 1
        }
        #expect(number == 300)
    }

    @Test func refusedInMidUpload_theSenderStopsAndHearsWhy() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        pair.server.serve { _, responder in
            var frames = responder.upload.makeAsyncIterator()
            _ = try? await frames.next()
            await responder.fail(.tooLarge, "that is enough")
        }
        let (stopped, stop) = AsyncStream<Bool>.makeStream()
        let answer = try await pair.asker.stream("server", []) { send in
            do {
                while true { try await send([UInt8](repeating: 7, count: 10_000)) }
            } catch {
                stop.yield(true)
                throw error
            }
        }
        let error = await #expect(throws: BusError.self) { for try await _ in answer {} }
        #expect(error?.code == .tooLarge)
        for await hasStopped in stopped {
            #expect(hasStopped)
            break
        }
    }

    @Test func requesterThatFailsInMidUpload_cancelsTheHandler() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        let (ends, end) = AsyncStream<Bool>.makeStream()
        let (began, begin) = AsyncStream<Void>.makeStream()
        pair.server.serve { _, responder in
            do {
                for try await _ in responder.upload { begin.yield() }
                end.yield(false)
            } catch {
                end.yield(error is CancellationError)
            }
        }
        struct Broken: Error {}
        let answer = try await pair.asker.stream("server", []) { send in
            try await send([1])
            // A request that nobody has read yet would never be: cancel overtakes it.
            for await _ in began { break }
            throw Broken()
        }
        await #expect(throws: Broken.self) { for try await _ in answer {} }
        for await wasCancelled in ends {
            #expect(wasCancelled)
            break
        }
    }

    @Test func serverThatEndsInMidUpload_isTold() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        let (began, begin) = AsyncStream<Void>.makeStream()
        pair.server.serve { _, responder in
            do { for try await _ in responder.upload { begin.yield() } } catch {}
        }
        let answer = try await pair.asker.stream("server", []) { send in
            while true { try await send([UInt8](repeating: 7, count: 10_000)) }
        }
        for await _ in began { break }
        pair.shell.disconnect(Pair.serverPeer)
        let error = await #expect(throws: BusError.self) { for try await _ in answer {} }
        #expect(error?.code == .peerRestarted)
    }
}
