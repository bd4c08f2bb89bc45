import AgentModel
import Chat
import Foundation
import Testing

@testable import ChatWeb

/// The chat over HTTP.
@Suite(.timeLimit(.minutes(2)))
struct StreamTests {
    private func send(_ text: String, _ more: String = "") -> String {
        #"{"op":"send","text":"\#(text)","client_id":"\#(UUID().uuidString)"\#(more)}"#
    }

    @Test func words_comeAsTheyAreSaid() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let connection = try box.connect()
        try connection.send(box.request("/api/chat", send("hello"), cookie: cookie))
        await box.agent.turnBegins()
        for word in ["one", "two", "three"] {
            box.agent.say(word)
            _ = try connection.receive(until: "\"text\":\"\(word)\"")
        }
        box.agent.complete("*three*")
        _ = try connection.receive(until: "<em>three</em>")
        box.agent.end()
        let rest = RawAnswer(Array(try connection.receive(until: #"{"type":"end"}"#).utf8))
        #expect(rest.types.suffix(2) == ["ended", "end"])
    }

    @Test func answerThatMayNotBeAStream_endsSoonAfterItsFirstLine() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        // The turn goes on: the answer ends all the same.
        let answer = try box.post("/api/chat", send("hello", #","wait":20"#), cookie: cookie)
        #expect(answer.types.first == "accepted" && answer.types.last == "more")
        let nothing = try box.post("/api/chat", #"{"op":"resume","session":"none","wait":1}"#, cookie: cookie)
        #expect(nothing.types == ["error"] && nothing.text.contains("unknown"))
    }

    /// Who asks for no wait at all is told all the same that the message is stored.
    @Test(arguments: ["0", "-5", "0.001"])
    func waitOfNothing_saysThatTheMessageIsStored(seconds: String) async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let answer = try box.post("/api/chat", send("hello", #","wait":\#(seconds)"#), cookie: cookie)
        #expect(answer.types.first == "accepted" && answer.types.last == "more", "\(answer.text)")
    }

    /// Any device may say any number: none ends the process, and none waits longer than the longest.
    @Test(arguments: ["1e17", "1e30", "1e300", "-5", "-1e300"])
    func waitThatIsNoTime_isBroughtBetweenItsBounds(seconds: String) async throws {
        let box = try await WebBox()
        let cookie = try await box.pair(.chatOnly)
        for op in ["list", "probe"] {
            let answer = try box.post("/api/chat", #"{"op":"\#(op)","wait":\#(seconds)}"#, cookie: cookie)
            #expect(answer.status == 200 && ["end", "more"].contains(answer.types.last), "\(answer.text)")
        }
    }

    /// So that both ends notice a way that is dead; it is no event of the session.
    @Test func quietStream_saysThatItIsThere() async throws {
        let box = try await WebBox(limits: ConnectionLimits(beat: .milliseconds(20)))
        let cookie = try await box.pair()
        let connection = try box.connect()
        try connection.send(box.request("/api/chat", send("hello"), cookie: cookie))
        await box.agent.turnBegins()
        for _ in 0..<3 { _ = try connection.receive(until: #"{"type":"beat"}"#) }
        box.agent.end()
        let rest = RawAnswer(Array(try connection.receive(until: #"{"type":"end"}"#).utf8))
        #expect(rest.types.contains("ended") && ConnectionLimits().beat == .seconds(10))
    }

    @Test func openThenResume_tellsEverythingOnce() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let first = try box.connect()
        try first.send(box.request("/api/chat", send("hello"), cookie: cookie))
        await box.agent.turnBegins()
        box.agent.say("one ")
        _ = try first.receive(until: "one ")
        let session = try #require(try await box.store.sessions().first?.id)
        let open = try box.post("/api/chat", #"{"op":"open","session":"\#(session)"}"#, cookie: cookie)
        #expect(open.types == ["position", "turn", "end"])
        let position = try #require(open.text.firstMatch(of: /"seq":(\d+)/)?.1)
        let second = try box.connect()
        try second.send(
            box.request("/api/chat", #"{"op":"resume","session":"\#(session)","after":\#(position)}"#, cookie: cookie))
        var told = try second.receive(until: "one ")
        box.agent.say("**two**")
        box.agent.end()
        told += try second.receive(until: #"{"type":"end"}"#)
        #expect(told.ranges(of: "one ").count == 1 && told.ranges(of: "**two**").count == 1)
        let closed = try box.post("/api/chat", #"{"op":"open","session":"\#(session)"}"#, cookie: cookie)
        #expect(closed.types == ["position", "turn", "text", "end"])
        #expect(closed.text.contains("<p>one <strong>two</strong></p>"))
    }

    /// As it is said, read on from a number, read anew, and asked for in steps: each byte once, rendered as a whole.
    @Test func longAnswer_isOneLineWithItsMarkdown_howeverItIsAskedFor() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let items = (1...500).map { "- item **\($0)** of a list\n" }
        let text = items.joined()
        #expect(text.utf8.count > AgentEvent.textLimit)
        let connection = try box.connect()
        try connection.send(box.request("/api/chat", send("hello"), cookie: cookie))
        await box.agent.turnBegins()
        for item in items.prefix(200) { box.agent.say(item) }
        _ = try connection.receive(until: "item **200**")
        box.agent.complete(text)
        let whole = try connection.receive(until: "</ul>")
        #expect(whole.ranges(of: "<li>").count == 500 && whole.ranges(of: #""whole":true"#).count <= 1)
        box.agent.end()
        _ = try connection.receive(until: #"{"type":"end"}"#)
        let session = try #require(try await box.store.sessions().first?.id)
        for body in [
            #"{"op":"open","session":"\#(session)"}"#, #"{"op":"resume","session":"\#(session)","after":0}"#,
            #"{"op":"resume","session":"\#(session)","after":0,"wait":20}"#,
        ] {
            let answer = try box.post("/api/chat", body, cookie: cookie)
            #expect(answer.types.count { $0 == "text" } == 1, "\(body)")
            #expect(answer.text.ranges(of: "item **500**").count == 1 && answer.text.ranges(of: "<li>").count == 500)
        }
    }

    /// Where it is still being written, too.
    @Test func longAnswer_readOnFromTheMiddleOfItsTurn_isRenderedAsAWhole() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let first = try box.connect()
        try first.send(box.request("/api/chat", send("hello"), cookie: cookie))
        await box.agent.turnBegins()
        box.agent.complete(String(repeating: "*word* ", count: 3000))
        _ = try first.receive(until: "</p>")
        // It is in the store when a batch has been written.
        let session = try #require(try await box.store.sessions().first?.id)
        let isStored = { (page: ChatStore.Page) in
            page.events.contains { if case .toWrite = $0 { true } else { false } }
        }
        while try await box.store.page(of: session, after: .start).map(isStored) != true { await Task.yield() }
        let second = try box.connect()
        try second.send(box.request("/api/chat", #"{"op":"resume","session":"\#(session)","after":0}"#, cookie: cookie))
        let told = try second.receive(until: "</p>")
        #expect(told.ranges(of: "<em>word</em>").count == 3000 && told.ranges(of: "*word*").count == 3000)
        box.agent.end()
    }

    @Test func answerThatIsTooLongToBeRendered_comesInLinesThatAddUp() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let first = try box.connect()
        try first.send(box.request("/api/chat", send("hello"), cookie: cookie))
        await box.agent.turnBegins()
        let text = String(repeating: "wörter ", count: 20_000)
        box.agent.complete(text)
        box.agent.end()
        _ = try first.receive(until: #"{"type":"end"}"#)
        let session = try #require(try await box.store.sessions().first?.id)
        let open = try box.post("/api/chat", #"{"op":"open","session":"\#(session)"}"#, cookie: cookie)
        let lines = open.objects.filter { $0["type"] as? String == "text" }
        #expect(lines.count == 3 && lines.allSatisfy { $0["html"] == nil })
        #expect(lines.map { $0["whole"] as? Bool ?? false } == [true, false, false])
        #expect(lines.compactMap { $0["text"] as? String }.joined() == text)
    }

    /// Behind the number that `open` gave the turn said a block and ended, before anybody listened: all comes from the store.
    @Test(arguments: [true, false]) func whatIsReadAgainByNumber_isRenderedToo(isOver: Bool) async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let first = try box.connect()
        try first.send(box.request("/api/chat", send("hello"), cookie: cookie))
        await box.agent.turnBegins()
        box.agent.say("*one*")
        box.agent.complete("*one*")
        _ = try first.receive(until: "<em>one</em>")
        let session = try #require(try await box.store.sessions().first?.id)
        if isOver { box.agent.end() }
        if isOver { _ = try first.receive(until: #"{"type":"end"}"#) }
        let second = try box.connect()
        let body = #"{"op":"resume","session":"\#(session)","after":0,"follow":true}"#
        // Until the batch is stored it would come from memory.
        while try await !box.isStored("*one*", in: session) { await Task.yield() }
        try second.send(box.request("/api/chat", body, cookie: cookie))
        _ = try second.receive(until: "<em>one</em>")
    }

    @Test func deviceRevokedInTheMiddle_itsAnswersEndAtOnce() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let connection = try box.connect()
        try connection.send(box.request("/api/chat", send("hello"), cookie: cookie))
        await box.agent.turnBegins()
        box.agent.say("one")
        _ = try connection.receive(until: "one")
        let device = try #require(try await box.store.devices().first)
        _ = try await box.server.answer(.revoke(device.id), by: "a test")
        #expect(try connection.receive(until: #""why":"revoked"}"#).contains(#""code":"unpaired""#))
    }

    /// As many answers as a device may have, all begun.
    private func openAll(of box: WebBox, _ body: String, _ cookie: String) throws -> [RawConnection] {
        try (0..<LiveStreams.perDevice).map { _ in
            let connection = try box.connect()
            try connection.send(box.request("/api/chat", body, cookie: cookie))
            _ = try connection.receive(until: "200 OK")
            return connection
        }
    }

    @Test func tooManyAnswersAtATime_areRefused() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let turn = try await box.store.accept(
            Submission(session: nil, text: "x", clientID: "c"), newSession: SessionID(rawValue: "s"), before: .start,
            workspaces: Workspaces(names: ["home"]))
        let body = #"{"op":"resume","session":"\#(turn.turn.session)","after":0,"follow":true}"#
        let open = try openAll(of: box, body, cookie)
        #expect(try box.post("/api/chat", body, cookie: cookie).status == 429)
        #expect(try box.post("/api/devices", #"{"op":"own"}"#, cookie: cookie).status == 200)
        withExtendedLifetime(open) {}
    }

    /// A page that is seen again and again gives up an answer each time; those must not count against it.
    @Test(arguments: ["", #","wait":25"#])
    func answerThatWasGivenUp_keepsNoPlace(_ more: String) async throws {
        let box = try await WebBox(limits: ConnectionLimits(beat: .seconds(600)))
        let cookie = try await box.pair()
        let turn = try await box.store.accept(
            Submission(session: nil, text: "x", clientID: "c"), newSession: SessionID(rawValue: "s"), before: .start,
            workspaces: Workspaces(names: ["home"]))
        let whole = #"{"op":"resume","session":"\#(turn.turn.session)","after":0,"follow":true\#(more)}"#
        for _ in 0..<3 {
            // They are closed with the list.
            _ = try openAll(of: box, whole, cookie)
            let list = #"{"op":"list"}"#
            let limit = ContinuousClock.now + .seconds(15)
            while try box.post("/api/chat", list, cookie: cookie).status == 429, .now < limit {}
            #expect(.now < limit)
        }
    }

    /// What has an end is not cut off because its reader is slow.
    @Test func listThatMayNotBeAStream_comesWholeToASlowReader() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        // More than the sockets between the two take.
        let text = String(repeating: "x", count: 50_000)
        let first = try await box.store.accept(
            Submission(session: nil, text: text, clientID: "0"), newSession: SessionID(rawValue: "s"), before: .start,
            workspaces: Workspaces(names: ["home"]))
        for number in 1..<120 {
            _ = try await box.store.accept(
                Submission(session: first.turn.session, text: text, clientID: "\(number)"),
                newSession: SessionID(rawValue: "-"), before: .start, workspaces: Workspaces(names: ["home"]))
        }
        let connection = try box.connect()
        try connection.send(box.request("/api/chat", #"{"op":"history","session":"s","wait":20}"#, cookie: cookie))
        _ = try connection.receive(until: "200 OK")
        try await Task.sleep(for: LineAnswer.grace * 5)
        var all: [UInt8] = []
        let end = Array("}\n\r\n0\r\n\r\n".utf8)
        while !all.suffix(end.count).elementsEqual(end) { all += try connection.receive() }
        let last = String(decoding: all.suffix(60), as: UTF8.self)
        #expect(last.contains(#"{"type":"end"}"#) && all.count > 120 * text.utf8.count, "\(last)")
    }

    /// Who has an answer open is here, however long ago he asked for it.
    @Test func deviceWithAnOpenAnswer_isHereNow_andWasSeenWhenThatEnded() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let other = try await box.pair()
        func lines() throws -> [[String: Any]] {
            try box.post("/api/devices", #"{"op":"devices"}"#, cookie: other).objects
        }
        #expect(try lines().allSatisfy { $0["here"] == nil })
        let number = try await box.store.list().number
        do {
            let connection = try box.connect()
            try connection.send(
                box.request("/api/chat", #"{"op":"changes","after":\#(number.rawValue)}"#, cookie: cookie))
            _ = try connection.receive(until: "200 OK")
            let told = try lines()
            #expect(told.map { $0["here"] as? Bool } == [true, nil] && told[0]["own"] as? Bool == false, "\(told)")
            withExtendedLifetime(connection) {}
        }
        let limit = ContinuousClock.now + .seconds(15)
        while try lines().contains(where: { $0["here"] != nil }), .now < limit {}
        #expect(.now < limit)
    }

    /// Its connection may have gone before the first byte of the answer: then nothing of it is ever done.
    @Test func answerThatWasNeverBegun_keepsNoPlace() throws {
        let streams = LiveStreams()
        let answer = LineAnswer(
            wait: nil, isFinite: false, beat: .seconds(1), streams: streams, device: DeviceID(rawValue: "d"),
            connection: nil
        ) {}
        for _ in 0...LiveStreams.perDevice { _ = try answer.response { _ in LineAnswer.endLine } }
        #expect(streams.count == 0)
    }

    @Test(arguments: ["", "{", "[]", #"{"op":"steal"}"#, #"{"op":"send"}"#, "\u{0}\u{1}"])
    func unreadableRequest_isRefusedInWords(_ body: String) async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let answer = try box.post("/api/chat", body, cookie: cookie)
        #expect(answer.status == 400 && answer.text.contains("bad-request"))
    }
}
