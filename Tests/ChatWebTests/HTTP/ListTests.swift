@testable import Chat
import Foundation
import Testing

@testable import ChatWeb

/// The list of sessions as a page keeps up with it.
@Suite(.timeLimit(.minutes(2)))
struct ListTests {
    /// Deleted elsewhere: nothing is stored, and the page keeps what it wanted to send there.
    @Test func sessionThatIsGone_isToldApartBeforeTheAnswerBegins() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let about = #""session":"gone""#
        for body in [
            #"{"op":"send","client_id":"a","text":"kept words",\#(about)}"#, "{\"op\":\"open\",\(about)}",
            "{\"op\":\"resume\",\(about)}", "{\"op\":\"history\",\(about)}", "{\"op\":\"delete\",\(about)}",
            "{\"op\":\"abort\",\(about)}", "{\"op\":\"export\",\(about)}",
            #"{"op":"rename","title":"x",\#(about)}"#, "{\"op\":\"fork\",\(about)}",
            #"{"op":"choose","model":null,\#(about)}"#,
        ] {
            let answer = try box.post("/api/chat", body, cookie: cookie)
            #expect(answer.status == 404, "\(body): \(answer.text)")
            let error = try #require(answer.objects.first)
            #expect(error["code"] as? String == "unknown" && error["why"] as? String == "session", "\(answer.text)")
            #expect((error["message"] as? String)?.contains("there is no session gone (any more)") == true)
        }
        // Not here any more is more than a session: what else is not there says no such thing.
        let piece = try box.post("/api/chat", #"{"op":"piece","upload":"x","at":0,"data":""}"#, cookie: cookie)
        #expect(piece.objects.first?["code"] as? String == "unknown" && piece.objects.first?["why"] == nil)
        #expect(try await box.store.sessions().isEmpty)
    }

    private func number(_ box: WebBox, _ cookie: String) throws -> String {
        let list = try box.post("/api/chat", #"{"op":"list","numbered":true}"#, cookie: cookie)
        #expect(list.types.suffix(2) == ["listed", "end"])
        return String(try #require(list.text.firstMatch(of: /"number":(\d+),"type":"listed"/)?.1))
    }

    private func say(_ box: WebBox, _ text: String, _ cookie: String) throws -> RawConnection {
        let connection = try box.connect()
        let body = #"{"op":"send","text":"\#(text)","client_id":"\#(UUID().uuidString)"}"#
        try connection.send(box.request("/api/chat", body, cookie: cookie))
        return connection
    }

    @Test func whatOneDeviceDoes_anotherIsToldAtOnce() async throws {
        let box = try await WebBox()
        let (cookie, other) = (try await box.pair(), try await box.pair())
        let start = try number(box, other)
        let connection = try box.connect()
        try connection.send(box.request("/api/chat", #"{"op":"changes","after":\#(start)}"#, cookie: other))
        let turn = try say(box, "hello", cookie)
        await box.agent.turnBegins()
        var told = try connection.receive(until: #""state":"running""#)
        #expect(told.contains(#""title":"hello""#))
        let session = try #require(try await box.store.sessions().first?.id)
        box.agent.end()
        told = try connection.receive(until: #""state":"done""#)
        _ = try turn.receive(until: #"{"type":"end"}"#)
        _ = try box.post("/api/chat", #"{"op":"rename","session":"\#(session)","title":"another"}"#, cookie: cookie)
        told = try connection.receive(until: #""title":"another""#)
        _ = try box.post("/api/chat", #"{"op":"delete","session":"\#(session)"}"#, cookie: cookie)
        told = try connection.receive(until: #""type":"gone""#)
        #expect(told.contains(#""session":"\#(session)""#))
        // Whoever was away goes on by number, and is told the end alone.
        let later = try box.post("/api/chat", #"{"op":"changes","after":\#(start),"wait":5}"#, cookie: other)
        #expect(later.types == ["gone", "more"])
    }

    @Test func sessionAndList_comeOverOneWay() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let start = try number(box, cookie)
        let turn = try say(box, "hello", cookie)
        await box.agent.turnBegins()
        let session = try #require(try await box.store.sessions().first?.id)
        let connection = try box.connect()
        let body = #"{"op":"resume","session":"\#(session)","after":0,"follow":true,"list":\#(start)}"#
        try connection.send(box.request("/api/chat", body, cookie: cookie))
        _ = try connection.receive(until: #""type":"session""#)
        box.agent.say("one")
        _ = try connection.receive(until: #""text":"one""#)
        box.agent.end()
        let told = try connection.receive(until: #""state":"done""#)
        #expect(told.contains(#""type":"ended""#) || told.contains(#""type":"session""#))
        _ = try turn.receive(until: #"{"type":"end"}"#)
        _ = try box.post("/api/chat", #"{"op":"rename","session":"\#(session)","title":"x"}"#, cookie: cookie)
        _ = try connection.receive(until: #""title":"x""#)
    }

    @Test func whereStreamsAreHeldBack_aStepEndsSoonAfterWhatComes_andGoesOnByNumber() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let start = try number(box, cookie)
        let turn = try say(box, "hello", cookie)
        await box.agent.turnBegins()
        let step = try box.post("/api/chat", #"{"op":"changes","after":\#(start),"wait":20}"#, cookie: cookie)
        #expect(step.types.first == "session" && step.types.last == "more")
        let last = try #require(step.text.matches(of: /"number":(\d+)/).last?.1)
        let nothing = try box.post("/api/chat", #"{"op":"changes","after":\#(last),"wait":0.05}"#, cookie: cookie)
        #expect(nothing.types == ["more"])
        withExtendedLifetime(turn) {}
    }

    @Test(arguments: ["5", "99999999999999"]) func numberOfAnotherStore_isToldToReadTheListAnew(_ number: String)
        async throws
    {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let answer = try box.post("/api/chat", #"{"op":"changes","after":\#(number)}"#, cookie: cookie)
        #expect(answer.types == ["anew", "end"])
    }

    @Test func whoeverDoesNotRead_holdsNothing_andIsToldTheLast() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        let turn = try await box.store.accept(
            Submission(session: nil, text: "x", clientID: "c"), newSession: SessionID(rawValue: "s"), before: .start,
            workspaces: Workspaces(names: ["home"])
        ).turn
        let start = try number(box, cookie)
        let rings = box.store.bell.listen()
        for count in 0..<2000 { try await box.store.rename(turn.session, to: "title \(count)") }
        // Rings that nobody heard are one, and of a session only the last change is read.
        var heard = 0
        box.store.bell.finish()
        for await _ in rings { heard += 1 }
        #expect(heard <= 1)
        let after = ListNumber(rawValue: try #require(Int64(start)))
        let changes = try #require(try await box.store.listChanges(after: after))
        #expect(changes.count == 1)
    }
}
