import Foundation
import Glibc
import Synchronization
import Testing
import Wire

@testable import WorkerKit

/// Two workers, `asker` (1) and `server` (2), which may address each other, joined through the router over real pipes.
struct Pair {
    let shell: BusShell
    let asker: Bus
    let server: Bus

    static let askerPeer = PeerID(rawValue: 1)
    static let serverPeer = PeerID(rawValue: 2)

    init() async throws {
        shell = try BusShell([.init(1, "asker", peers: [2]), .init(2, "server", peers: [1])])
        server = try await Pair.join(shell, 2, "server")
        asker = try await Pair.join(shell, 1, "asker")
    }

    static func join(_ shell: BusShell, _ number: UInt16, _ name: String) async throws -> Bus {
        let ends = try shell.connect(PeerID(rawValue: number))
        return try await Bus.connect(name: name, read: ends.read, write: ends.write)
    }
}

@Suite(.timeLimit(.minutes(1))) struct BusTests {
    @Test func welcome_tellsWhoIsWho() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        #expect(pair.asker.welcome.name == "asker" && pair.asker.welcome.peer == Pair.askerPeer)
        #expect(pair.asker.peer(named: "server") == Pair.serverPeer)
        #expect(pair.asker.peer(named: "nobody") == nil)
    }

    @Test func request_isAnswered() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        pair.server.serve { request, responder in
            #expect(request.peer == Pair.askerPeer && request.client == nil)
            await responder.reply(String(decoding: request.payload, as: UTF8.self).uppercased())
        }
        #expect(try await pair.asker.request("server", Array("hello".utf8)) == Array("HELLO".utf8))
    }

    @Test func requestsAtTheSameTime_getTheirOwnAnswers() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        pair.server.serve { request, responder in await responder.reply(request.payload) }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let payload = Array("number \(number)".utf8)
                    return try await pair.asker.request("server", payload) == payload
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
        #expect(pair.shell.openRequests == 0)
    }

    @Test func requestBeforeServe_waitsForIt() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        async let answer = pair.asker.request("server", [1])
        pair.server.serve { request, responder in await responder.reply(request.payload) }
        #expect(try await answer == [1])
    }

    @Test func longReply_isPutTogether() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        let long = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0) }
        pair.server.serve { _, responder in await responder.reply(long) }
        #expect(try await pair.asker.request("server", []) == long)
    }

    @Test func errors_arriveWithTheirCode() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        pair.server.serve { request, responder in
            if request.payload == [1] { await responder.fail(.badRequest, "one \"is\" bad") }
        }
        await #expect(throws: BusError(.badRequest, "one \"is\" bad")) { try await pair.asker.request("server", [1]) }
        await #expect(throws: BusError(.failed, "the handler ended without an answer")) {
            try await pair.asker.request("server", [2])
        }
        await #expect { try await pair.asker.request("nobody", []) } throws: { ($0 as? BusError)?.code == .refused }
        await #expect { try await pair.asker.request("server", [UInt8](repeating: 0, count: 65_537)) } throws: {
            ($0 as? BusError)?.code == .tooLarge
        }
    }

    @Test func nobodyAnswers_timesOutAndTellsTheServer() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        let (cancelled, told) = AsyncStream<Void>.makeStream()
        pair.server.serve { _, responder in
            try? await Task.sleep(for: .seconds(60))
            #expect(Task.isCancelled && responder.isCancelled)
            told.yield()
        }
        await #expect { try await pair.asker.request("server", [], timeout: .milliseconds(50)) } throws: {
            ($0 as? BusError)?.code == .timeout
        }
        for await _ in cancelled { break }
    }

    @Test func cancelledTask_cancelsTheHandler() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        let (steps, step) = AsyncStream<Bool>.makeStream()
        pair.server.serve { _, _ in
            step.yield(false)
            try? await Task.sleep(for: .seconds(60))
            step.yield(true)
        }
        let task = Task { try await pair.asker.request("server", []) }
        for await isOver in steps {
            if isOver { break }
            task.cancel()
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func nexusd_isAskedInWords() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        let shell = pair.shell
        let nexusd = Task {
            for await case .request(let id, _, let words) in shell.decisions {
                shell.reply(id, words.count > 10 ? [UInt8](repeating: 0x20, count: 200_000) : words)
            }
        }
        defer { nexusd.cancel() }
        #expect(try await pair.asker.ask("status") == Array("status".utf8))
        #expect(try await pair.asker.ask("status of everything").count == 200_000)
    }

    @Test func wordsAboutItself_reachNexusd() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        pair.server.status("connected 4/4")
        pair.server.health(of: "web", healthy: false, why: "no answer")
        pair.server.ready()
        var heard: [BusDecision] = []
        for await decision in pair.shell.decisions {
            if case .joined = decision { continue }
            heard.append(decision)
            if heard.count == 3 { break }
        }
        let server = Pair.serverPeer
        #expect(
            heard == [
                .status(server, "connected 4/4"),
                .health(child: "web", isHealthy: false, why: "no answer", from: server), .ready(server),
            ])
    }

    @Test func values_comeWithTheWelcomeAndWhenTheyChange() async throws {
        let shell = try BusShell([.init(1, "asker")])
        defer { shell.stop() }
        shell.setValues(["web.port": "1"], for: Pair.askerPeer)
        let bus = try await Pair.join(shell, 1, "asker")
        #expect(bus.values == ["web.port": "1"])
        var seen: [[String: String]] = []
        for await values in bus.valueUpdates() {
            seen.append(values)
            if seen.count == 2 { break }
            shell.setValues(["web.port": "2"], for: Pair.askerPeer)
        }
        #expect(seen == [["web.port": "1"], ["web.port": "2"]])
        #expect(bus.values == ["web.port": "2"])
    }

    @Test func peersAfterAReload_areThoseOfTheEvent() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        #expect(pair.asker.peer(named: "server") != nil)
        let events = pair.asker.events()
        pair.shell.replaceWorkers([.init(1, "asker"), .init(2, "server")])
        for await case .peers(let peers, _) in events {
            #expect(peers.isEmpty)
            break
        }
        #expect(pair.asker.peer(named: "server") == nil)
    }

    @Test func serverRestarts_openRequestsFailAndLaterOnesWait() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        let (begun, begin) = AsyncStream<Void>.makeStream()
        pair.server.serve { _, _ in
            begin.yield()
            try? await Task.sleep(for: .seconds(60))
        }
        let open = Task { try await pair.asker.request("server", []) }
        for await _ in begun { break }
        pair.shell.disconnect(Pair.serverPeer)
        await #expect { try await open.value } throws: { ($0 as? BusError)?.code == .peerRestarted }
        let later = Task { try await pair.asker.request("server", [5]) }
        let next = try await Pair.join(pair.shell, 2, "server")
        next.serve { request, responder in await responder.reply(request.payload) }
        #expect(try await later.value == [5])
    }

    /// What is open may have been carried out, what comes afterwards never: who asks again must be able to tell.
    @Test func busEnds_everythingOpenFails() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        let (begun, begin) = AsyncStream<Void>.makeStream()
        pair.server.serve { _, _ in
            begin.yield()
            try? await Task.sleep(for: .seconds(60))
        }
        let open = Task { try await pair.asker.request("server", []) }
        for await _ in begun { break }
        pair.shell.disconnect(Pair.askerPeer)
        await #expect(throws: BusError.cutOff) { try await open.value }
        for await ending in pair.asker.endings {
            #expect(ending == .closed(fault: nil))
            break
        }
        await #expect(throws: BusError.closed) { try await pair.asker.request("server", []) }
    }

    @Test func drain_finishesWhatIsOpenThenSaysSo() async throws {
        let pair = try await Pair()
        defer { pair.shell.stop() }
        let (steps, step) = AsyncStream<Void>.makeStream()
        let order = Mutex<[String]>([])
        pair.server.onDrain { order.withLock { $0.append("drain") } }
        pair.server.serve { _, responder in
            step.yield()
            while !pair.server.isDraining { await Task.yield() }
            order.withLock { $0.append("reply") }
            await responder.reply("done")
        }
        let answer = Task { try await pair.asker.request("server", []) }
        for await _ in steps { break }
        pair.shell.drain(Pair.serverPeer)
        #expect(try await answer.value == Array("done".utf8))
        for await case .drained(let peer) in pair.shell.decisions {
            #expect(peer == Pair.serverPeer)
            break
        }
        #expect(Set(order.withLock { $0 }) == ["drain", "reply"])
        await #expect { try await pair.asker.request("server", []) } throws: {
            ($0 as? BusError)?.code == .unavailable
        }
    }
}
