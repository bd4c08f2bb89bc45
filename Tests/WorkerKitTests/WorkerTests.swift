import Foundation
import Synchronization
import Testing
import Wire

@testable import WorkerKit

@Suite(.timeLimit(.minutes(1))) struct WorkerTests {
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    init() { (signals, signal) = AsyncStream.makeStream() }

    private struct Failure: Error {}

    /// A worker that lives until it is cancelled; says when it has begun.
    private func live(
        _ pair: Pair, until act: () -> Void, _ end: @escaping @Sendable () async throws -> Void = {}
    ) async -> Int32 {
        let (begun, begin) = AsyncStream<Void>.makeStream()
        async let status = Worker.live(pair.server, terminated: signals) { _ in
            begin.finish()
            try await end()
            try await Task.sleep(for: .seconds(600))
        }
        for await _ in begun {}
        act()
        return await status
    }

    @Test func drain_endsWith0() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        #expect(await live(pair, until: { pair.shell.drain(Pair.serverPeer) }) == 0)
    }

    @Test func endOfTheBus_endsWith0() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        #expect(await live(pair, until: { pair.shell.disconnect(Pair.serverPeer) }) == 0)
    }

    @Test func stopSignal_endsWith0() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        #expect(await live(pair, until: { signal.yield() }) == 0)
    }

    @Test func bodyThatThrows_endsWithItsStatus() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        #expect(await live(pair, until: {}, { throw Failure() }) == 1)
        #expect(await live(pair, until: {}, { throw Worker.ConfigurationError("no workspace; set [agent]") }) == 78)
    }

    @Test func bodyThatReturns_goesOnServing() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        async let status = Worker.live(pair.server, terminated: signals) { bus in
            bus.serve { request, responder in await responder.reply(request.payload) }
        }
        #expect(try await pair.asker.request("server", [1]) == [1])
        pair.shell.drain(Pair.serverPeer)
        #expect(await status == 0)
    }

    @Test func garbageFromNexusd_endsWith1() async throws {
        let pipes = (try BusShell.makePipe(), try BusShell.makePipe())
        let welcome = #"{"protocol":1,"epoch":1,"peer":1,"name":"x","peers":[],"values":{}}"#
        let bytes = Frame(.welcome, peer: .nexusd, id: .none, payload: Array(welcome.utf8)).bytes
        write(pipes.0.write, bytes, bytes.count)
        let bus = try await Bus.connect(name: "x", read: pipes.0.read, write: pipes.1.write)
        async let status = Worker.live(bus, terminated: signals) { _ in }
        let garbage = [UInt8](repeating: 0xFF, count: 16)
        write(pipes.0.write, garbage, garbage.count)
        #expect(await status == 1)
    }

    @Test func noBus_isSaidInWords() async throws {
        await #expect { try await Bus.connect(name: "x", read: 900, write: 901) } throws: {
            "\($0)".contains("start me by nexusd")
        }
    }

    @Test func logLines_areOneEntryEach() {
        #expect(Log.line(.warning, "two\nlines") == Array("<4>two lines\n".utf8))
        let long = Log.line(.error, String(repeating: "ä", count: 5000))
        #expect(long.count <= Log.lineLimit && long.last == 0x0A)
        #expect(String(validating: long, as: UTF8.self) != nil)
    }
}
