import AgentModel
import CFaultyDisk
import Chance
import Chat
import Foundation
import GRDB
import Testing

/// Every call of SQLite on the files of the store fails, at every place of a conversation: a full disk, an I/O error, a write
/// of which half reaches the file; once and for ever after. A call of the store may be refused; then the file is opened anew
/// on a sound disk: SQLite finds it whole, nothing was moved aside, and every message that was accepted is there, once, in
/// exactly one state, no earlier one than was acknowledged; one that was withdrawn is over wherever it is there at all.
@Suite("Failing calls of SQLite", .serialized, .timeLimit(.minutes(isLong ? 120 : 10)))
struct DiskFaultTests {
    @Test(arguments: [NEXUS_DISK_FULL, NEXUS_DISK_ERROR, NEXUS_DISK_TORN], [false, true])
    func everyCallMayFail(fault: nexus_disk_fault, forEver: Bool) async throws {
        try #require(nexus_disk_install() == 0)
        var (lives, refused) = (0, 0)
        // Without NEXUS_LONG every fortieth place.
        var random = SplitMix(seed: Chance.seed())
        let first: Int32 = isLong ? 1 : .random(in: 1...40, using: &random)
        var nth = first
        while true {
            let life = try DiskLife()
            let hasMet = try await life.play(fault, nth, forEver)
            try await life.judge("fault \(fault.rawValue), \(forEver ? "for ever from" : "at") call \(nth)")
            guard hasMet else { break }
            lives += 1
            if life.wasRefused { refused += 1 }
            nth += isLong ? 1 : 40
        }
        print(
            "fault \(fault.rawValue) \(forEver ? "for ever" : "once"): \(lives) lives from call \(first), \(refused) refused something"
        )
        #expect(lives > 5 && refused > 2)
    }
}

private let isLong = ProcessInfo.processInfo.environment["NEXUS_LONG"] == "1"

/// One conversation on a disk that fails.
private final class DiskLife {
    private let directory = FileManager.default.temporaryDirectory.path + "/nexus-disk-\(UUID().uuidString)"
    /// By client id: the state that was acknowledged last.
    private var acknowledged: [String: TurnState] = [:]
    private(set) var wasRefused = false
    private static let withdrawn = "unwanted"
    private var asked: Set<String> = []

    init() throws { _ = try ChatStore(directory: directory) }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// True when a call was made to fail.
    func play(_ fault: nexus_disk_fault, _ nth: Int32, _ forEver: Bool) async throws -> Bool {
        nexus_disk_fail(directory, fault, nth, forEver ? 1 : 0)
        defer { nexus_disk_fail(directory, fault, 0, 0) }
        if let store = await hand({ try ChatStore(directory: self.directory) }) {
            for client in ["one", Self.withdrawn, "two", "three"] { await converse(store, client) }
            _ = await hand { try store.close() }
        }
        return nexus_disk_failures() > 0
    }

    /// From a message to the end of its answer.
    private func converse(_ store: ChatStore, _ client: String) async {
        asked.insert(client)
        guard let turn = await hand({ try await self.accept(client, store) }) else { return }
        acknowledged[client] = turn.state
        guard turn.state == .queued, await hand({ try await store.takeUp(turn.id) }) != nil else { return }
        acknowledged[client] = .running
        for number in 0..<4 {
            let text = "\(number) " + String(repeating: "word ", count: 200)
            _ = await hand {
                let event = ChatEvent(
                    number: try await store.reserve(turn.session), session: turn.session, turn: turn.id,
                    what: .text(block: "b", text: text, replaces: false))
                try await store.append([event])
            }
        }
        guard await hand({ try await store.end(turn.id, .done, reason: nil, last: []) }) != nil else { return }
        acknowledged[client] = .done
    }

    private func accept(_ client: String, _ store: ChatStore) async throws -> ChatTurn {
        var generator = SystemRandomNumberGenerator()
        return try await store.accept(
            Submission(
                session: nil, workspace: nil, text: "message \(client)", clientID: client,
                isWithdrawn: client == Self.withdrawn),
            newSession: .random(using: &generator), before: .start, workspaces: Workspaces(names: ["home"])
        ).turn
    }

    private func hand<Value>(_ body: () async throws -> Value) async -> Value? {
        do { return try await body() } catch {
            wasRefused = true
            return nil
        }
    }

    /// On a sound disk again.
    func judge(_ about: String) async throws {
        let about = Comment(rawValue: about)
        let store = try ChatStore(directory: directory)
        #expect(store.movedAside == nil && store.damage == nil && store.lostLog == nil, about)
        let check = try await DatabaseQueue(path: store.path).read {
            try String.fetchAll($0, sql: "PRAGMA quick_check")
        }
        #expect(check == ["ok"], about)
        _ = try await store.recover(reason: "restarted")
        var turns: [ChatTurn] = []
        for session in try await store.sessions() { turns += try await store.turns(of: session.id) }
        #expect(Set(turns.map(\.text)).isSubset(of: asked.map { "message \($0)" }), about)
        for client in asked {
            let found = turns.filter { $0.text == "message \(client)" }
            #expect(found.count <= 1, about)
            #expect(client != Self.withdrawn || found.allSatisfy { $0.state == .interrupted }, about)
            guard let before = acknowledged[client] else { continue }
            let allowed: [TurnState] =
                before == .done ? [.done] : before == .running ? [.interrupted, .done] : [.queued, .interrupted]
            #expect(found.count == 1 && allowed.contains(found[0].state), about)
        }
        // Whoever was refused asks again, with the same id, and gets the same turn or a first one.
        for client in asked {
            let turn = try await accept(client, store)
            let known = turns.first { $0.text == "message \(client)" }
            #expect(known == nil || known?.id == turn.id, about)
        }
    }
}
