import AgentModel
import Foundation
import GRDB
import Testing

@testable import Chat

@Suite(.timeLimit(.minutes(1)))
struct ChatStoreTests {
    /// What is acknowledged outlives the loss of power: of the connection that writes, since the file does not keep it.
    @Test func commits_areSynced() async throws {
        let box = try StoreBox()
        for _ in 0..<2 {
            let (synchronous, journal) = try await box.store.queue.read { db in
                (try Int.fetchOne(db, sql: "PRAGMA synchronous"), try String.fetchOne(db, sql: "PRAGMA journal_mode"))
            }
            // 2 is FULL.
            #expect(synchronous == 2 && journal == "wal")
            try box.reopen()
        }
    }

    @Test func sameClientID_findsTheSameTurn() async throws {
        let box = try StoreBox()
        let first = try await box.accept("hello", client: "c1")
        let again = try await box.accept("hello", client: "c1")
        #expect(first == again)
        #expect(try await box.store.turns(of: first.session).count == 1)
        #expect(try await box.store.sessions().count == 1)
    }

    /// Whoever did not hear what became of it sends it again, and does not know that its session is gone.
    @Test(arguments: [false, true]) func messageWhoseSessionWasDeleted_isNotTakenAgain(isWithdrawn: Bool) async throws {
        let box = try StoreBox()
        var generator = SystemRandomNumberGenerator()
        var message = Submission(session: nil, text: "hello", clientID: "c1")
        message.isWithdrawn = isWithdrawn
        let turn = try await box.store.accept(
            message, newSession: .random(using: &generator), before: .start, workspaces: Workspaces(names: nil)
        ).turn
        if !isWithdrawn { try await box.store.end(turn.id, .done, reason: nil, last: []) }
        try await box.store.delete(turn.session)
        let other = try await box.accept("else", client: "c2")
        for _ in 0..<2 {
            for session in [nil, other.session] {
                let error = await #expect(throws: ChatError.self) {
                    try await box.accept("hello", in: session, client: "c1")
                }
                #expect(error?.code == .noSession && error?.message.contains("was taken already") == true)
            }
            try box.reopen()
        }
        #expect(try await box.store.sessions().map(\.id) == [other.session])
    }

    @Test func clientIDsOfMessagesThatAreGone_areBounded_theOldestGoesFirst() async throws {
        let box = try StoreBox()
        func gone(_ client: String) async throws {
            let turn = try await box.accept("x", client: client)
            try await box.store.end(turn.id, .done, reason: nil, last: [])
            try await box.store.delete(turn.session)
        }
        try await gone("first")
        try await gone("second")
        try await box.store.queue.write { db in
            try db.execute(
                sql: """
                    WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
                    INSERT INTO former_message (client_id) SELECT 'c' || i FROM n
                    """)
        }
        try await gone("last")
        for client in ["second", "c10000", "last"] {
            await #expect(throws: ChatError.self) { try await box.accept("x", client: client) }
        }
        _ = try await box.accept("x", client: "first")
    }

    @Test func clientIDOfAnotherMessage_isRefused() async throws {
        let box = try StoreBox()
        let first = try await box.accept("hello", client: "c1")
        await #expect(throws: ChatError.self) { try await box.accept("goodbye", client: "c1") }
        let other = try await box.accept("else", client: "c2")
        await #expect(throws: ChatError.self) { try await box.accept("hello", in: other.session, client: "c1") }
        #expect(try await box.store.turns(of: first.session).map(\.text) == ["hello"])
    }

    @Test(arguments: ["", " \n\t", String(repeating: "x", count: 60_001), String(repeating: "\u{1}", count: 10_001)])
    func unfitMessage_isRefusedInWords(_ text: String) async throws {
        let box = try StoreBox()
        let error = await #expect(throws: ChatError.self) { try await box.accept(text) }
        #expect(error?.code == .badRequest)
        #expect(try await box.store.sessions().isEmpty)
    }

    @Test func unknownSession_isRefused() async throws {
        let box = try StoreBox()
        let error = await #expect(throws: ChatError.self) {
            try await box.accept("hello", in: SessionID(rawValue: "nosuch"))
        }
        #expect(error?.code == .noSession)
    }

    @Test func unknownWorkspace_isRefusedBeforeAnythingIsStored() async throws {
        let box = try StoreBox()
        let two = Workspaces(names: ["home", "work"])
        let error = await #expect(throws: ChatError.self) {
            try await box.accept("hello", workspace: "wrk", workspaces: two)
        }
        #expect(error?.code == .badRequest)
        #expect(
            error?.message
                == "there is no workspace 'wrk' in Supervisor.toml; there are: home, work; did you mean 'work'?")
        let untold = await #expect(throws: ChatError.self) {
            try await box.accept("hello", workspace: "home", workspaces: Workspaces(names: nil))
        }
        #expect(untold?.message.contains("NEXUS_WORKSPACES") == true)
        #expect(try await box.store.sessions().isEmpty)
        _ = try await box.accept("hello", workspace: "work", workspaces: two)
        #expect(try await box.store.sessions().map(\.workspace) == ["work"])
    }

    /// Whoever names none gets the first, and it stays that one whatever the file becomes.
    @Test func sessionThatNamesNoWorkspace_belongsToTheFirst() async throws {
        let box = try StoreBox()
        let turn = try await box.accept("one", workspaces: Workspaces(names: ["home", "work"]))
        #expect(try await box.store.sessions().map(\.workspace) == ["home"])
        _ = try await box.accept("two", in: turn.session, workspaces: Workspaces(names: ["work", "home"]))
        let error = await #expect(throws: ChatError.self) {
            try await box.accept("three", in: turn.session, workspaces: Workspaces(names: ["work"]))
        }
        #expect(error?.message.contains("a new session begun") == true)
        #expect(try await box.store.turns(of: turn.session).map(\.text) == ["one", "two"])
    }

    @Test func sessionOfAWorkspaceThatIsGone_takesNoMessageMore() async throws {
        let box = try StoreBox()
        let turn = try await box.accept("one", workspace: "old", workspaces: Workspaces(names: ["home", "old"]))
        let error = await #expect(throws: ChatError.self) { try await box.accept("two", in: turn.session) }
        #expect(error?.code == .badRequest && error?.message.contains("'old'") == true)
        #expect(try await box.store.turns(of: turn.session).map(\.text) == ["one"])
        let again = try await box.accept("three", in: turn.session, workspaces: Workspaces(names: nil))
        #expect(again.session == turn.session)
    }

    @Test(arguments: ["", "[]", "{}", "[1]", #"[{"path":"/home/me"}]"#])
    func workspacesThatAreNoList_areNotTaken(_ json: String) {
        #expect(Workspaces(json: json) == nil)
        #expect(Workspaces(json: #"[{"name":"home","path":"/home/me"}]"#)?.names == ["home"])
    }

    @Test func tooManyWaitingMessages_areRefusedAndNothingIsStored() async throws {
        let box = try StoreBox()
        let first = try await box.accept("0")
        for number in 1..<ChatStore.queueLimit { _ = try await box.accept("\(number)", in: first.session) }
        let error = await #expect(throws: ChatError.self) { try await box.accept("one more", in: first.session) }
        #expect(error?.code == .busy)
        #expect(try await box.store.turns(of: first.session).count == ChatStore.queueLimit)
    }

    @Test func restart_interruptsRunningAndKeepsQueued() async throws {
        let box = try StoreBox()
        let done = try await box.accept("a")
        try await box.store.takeUp(done.id)
        try await box.store.end(done.id, .done, reason: nil, last: [])
        let running = try await box.accept("b", in: done.session)
        try await box.store.takeUp(running.id)
        let queued = try await box.accept("c", in: done.session)
        let elsewhere = try await box.accept("d")
        try box.reopen()
        let left = try await box.store.recover(reason: "restarted")
        #expect(left.interrupted.map(\.id) == [running.id])
        #expect(left.queued.map(\.id) == [queued.id, elsewhere.id])
        let turns = try await box.store.turns(of: done.session)
        #expect(turns.map(\.state) == [.done, .interrupted, .queued])
        #expect(turns[1].reason == "restarted")
        let second = try await box.store.recover(reason: "again")
        #expect(second.interrupted.isEmpty && second.queued.count == 2)
    }

    @Test func turnGoesOnlyWhereItsStateAllows() async throws {
        let box = try StoreBox()
        let turn = try await box.accept("a").id
        await #expect(throws: ChatError.self) { try await box.store.putBack(turn) }
        try await box.store.takeUp(turn)
        await #expect(throws: ChatError.self) { try await box.store.takeUp(turn) }
        try await box.store.putBack(turn)
        try await box.store.takeUp(turn)
        try await box.store.end(turn, .failed, reason: "no", last: [])
        await #expect(throws: ChatError.self) { try await box.store.end(turn, .done, reason: nil, last: []) }
        await #expect(throws: ChatError.self) { try await box.store.takeUp(turn) }
        #expect(try await box.store.turn(turn)?.state == .failed)
    }

    @Test func finishedTurn_keepsOneEventABlockThatReplaces() async throws {
        let box = try StoreBox()
        let turn = try await box.accept("a")
        func event(_ number: Int64, _ what: ChatEvent.What) -> ChatEvent {
            ChatEvent(number: EventNumber(rawValue: number), session: turn.session, turn: turn.id, what: what)
        }
        let call = ToolCall(id: "t", name: "bash", status: .running, title: "ls", output: "")
        var over = call
        over.status = .completed
        try await box.store.takeUp(turn.id)
        try await box.store.append([
            event(1, .started), event(2, .text(block: "b", text: "one ", replaces: false)), event(3, .tool(call)),
            event(4, .text(block: "b", text: "two", replaces: false)),
        ])
        #expect(try await box.events(turn.session).count == 4)
        try await box.store.end(
            turn.id, .done, reason: nil,
            last: [
                event(5, .tool(over)), event(6, .text(block: "b", text: " three", replaces: false)),
                event(7, .ended(.done, reason: nil)),
            ])
        let events = try await box.events(turn.session)
        #expect(events.map { $0["type"] as? String } == ["started", "tool", "text", "ended"])
        #expect(events.map { $0["seq"] as? Int } == [1, 5, 6, 7])
        #expect(events[2]["text"] as? String == "one two three")
        #expect(events[2]["whole"] as? Bool == true)
        #expect((events[1]["tool"] as? [String: Any])?["status"] as? String == "completed")
        let blocks = try await box.store.blocks(of: turn)
        #expect(blocks.map(\.what) == [.text(block: "b", text: "one two three", replaces: true), .tool(over)])
    }

    /// A turn that was stopped or cut off leaves no call that runs for ever, neither in a history nor for who reads on.
    @Test func toolUnderWay_isOverWithItsTurn() async throws {
        let box = try StoreBox()
        let turn = try await box.accept("a")
        try await box.store.takeUp(turn.id)
        _ = try await box.store.reserve(turn.session)
        let calls = [ToolCall.Status.running, .completed, .pending].map {
            ToolCall(id: $0.rawValue, name: "bash", status: $0, title: "ls", output: "x")
        }
        let events = calls.enumerated().map { index, call in
            ChatEvent(
                number: EventNumber(rawValue: Int64(index) + 1), session: turn.session, turn: turn.id, what: .tool(call)
            )
        }
        try await box.store.append(events)
        _ = try await box.store.recover(reason: "killed")
        let told = try await box.events(turn.session).compactMap { $0["tool"] as? [String: Any] }
        #expect(told.map { $0["status"] as? String } == ["broken-off", "completed", "broken-off"])
        #expect(told.allSatisfy { $0["title"] as? String == "ls" && $0["output"] as? String == "x" })
    }

    @Test func longBlock_isReadInPiecesTheLastOfWhichHasTheNumber() async throws {
        let box = try StoreBox()
        let turn = try await box.accept("a")
        let text = String(repeating: "wörter ", count: 20_000)
        try await box.store.takeUp(turn.id)
        let event = ChatEvent(
            number: EventNumber(rawValue: 9), session: turn.session, turn: turn.id,
            what: .text(block: "b", text: text, replaces: true))
        try await box.store.end(turn.id, .done, reason: nil, last: [event])
        let page = try #require(try await box.store.page(of: turn.session, after: .start))
        let frames = await page.frames
        #expect(frames.count > 10)
        #expect(frames.allSatisfy { $0.count <= 65_520 })
        let events = try frames.map(StoreBox.object)
        #expect(events.compactMap { $0["text"] as? String }.joined() == text)
        #expect(
            events.map { $0["whole"] as? Bool ?? false } == [true] + Array(repeating: false, count: events.count - 1))
        #expect(events.dropLast().allSatisfy { $0["seq"] == nil })
        #expect(events.last?["seq"] as? Int == 9)
    }

    @Test func eventNumbers_areNeverUsedTwiceAlsoAfterACrash() async throws {
        let box = try StoreBox()
        let turn = try await box.accept("a")
        var seen: Set<EventNumber> = []
        for _ in 0..<5 {
            let hub = EventHub(store: box.store)
            for _ in 0..<20 {
                let event = try await hub.publish(.notice("n"), turn: turn.id, in: turn.session)
                #expect(seen.insert(try #require(event.number)).inserted)
            }
            // The process dies with its events: nothing of them was stored.
            try box.reopen()
        }
        #expect(seen.count == 100)
    }

    @Test func files_areForTheirOwnerOnly() async throws {
        let box = try StoreBox()
        _ = try await box.accept("secret")
        for name in try FileManager.default.contentsOfDirectory(atPath: box.directory) {
            let mode = try FileManager.default.attributesOfItem(atPath: box.directory + "/" + name)[.posixPermissions]
            #expect(mode as? Int == 0o600, "\(name)")
        }
        let mode = try FileManager.default.attributesOfItem(atPath: box.directory)[.posixPermissions]
        #expect(mode as? Int == 0o700)
    }
}
