import Foundation
import Synchronization
import Testing
import Wire

@testable import OpenCode

/// The real agent-worker between a bus that the test plays and the real echo-agent.
@Suite(.timeLimit(.minutes(1)))
struct AgentWorkerTests {
    private let scratch: Scratch
    private let state: Scratch

    init() throws {
        scratch = try Scratch()
        state = try Scratch()
    }

    private var workspaces: String {
        #"[{"name":"home","path":"\#(scratch.url.path)"},{"name":"other","path":"/srv/other"}]"#
    }

    private func worker(_ agent: EchoAgentProcess?) throws -> WorkerProcess {
        try WorkerProcess(
            scratch: scratch.url, workspaces: workspaces,
            values: agent.map { ["opencode.port": String($0.port)] } ?? [:])
    }

    private func session(_ worker: WorkerProcess, workspace: String? = nil) throws -> String {
        var fields: [String: Any] = ["op": "open-session", "title": "test"]
        fields["workspace"] = workspace
        return try #require(try worker.ask(fields)["session"] as? String)
    }

    private func turn(_ worker: WorkerProcess, _ session: String, _ text: String) throws -> [[String: Any]] {
        let id = try worker.request(["op": "run-turn", "session": session, "text": text])
        var events: [[String: Any]] = []
        while let event = try worker.event(of: id) { events.append(event) }
        return events
    }

    @Test func turn_streamsEventsAndEnds() throws {
        let agent = try EchoAgentProcess(state: state.url)
        let worker = try worker(agent)
        let events = try turn(worker, try session(worker), "hello")
        #expect(events.first?["event"] as? String == "turn-started")
        #expect(events.last?["event"] as? String == "turn-ended")
        #expect(events.last?["outcome"] as? String == "done")
        #expect(events.count { $0["event"] as? String == "text-delta" } > 20)
        let whole = events.last { $0["event"] as? String == "text-block" }?["text"] as? String
        #expect(whole?.hasPrefix("You wrote: hello") == true)
    }

    /// Its health and its events are well; who looks at the status of agent-worker is told all the same.
    @Test func sessionThatIsRefused_isInTheStatus_untilAMessageIsTaken() throws {
        let refuses = Mutex(true)
        let server = try Listener.scripted { path in
            switch path {
            case "/global/health": Listener.Reply(body: #"{"healthy":true,"version":"1.18.34"}"#)
            case "/global/event":
                Listener.Reply(
                    type: "text/event-stream",
                    body: "data: {\"payload\":{\"type\":\"server.connected\",\"properties\":{}}}\n\n", staysOpen: true)
            case "/session" where refuses.withLock({ $0 }): Listener.Reply(status: "401 Unauthorized", body: "{}")
            case "/session": Listener.Reply(body: #"{"id":"ses_1","directory":"\#(scratch.url.path)"}"#)
            case _: Listener.Reply(status: "404 Not Found", body: "{}")
            }
        }
        defer { server.stop() }
        let worker = try WorkerProcess(
            scratch: scratch.url, workspaces: workspaces, values: ["opencode.port": String(server.port)])
        let connected = "connected to opencode 1.18.34"
        _ = try worker.status { $0 == connected }
        #expect(try worker.refusal(["op": "open-session", "title": "test"]) == "unavailable")
        let words = try worker.status { $0.contains("takes no message") }
        #expect(words.hasPrefix("opencode 1.18.34 is there and takes no message: opencode refuses the password."))
        #expect(words.hasSuffix("listens on its port; it made no session, so nothing was handed over"), "\(words)")
        refuses.withLock { $0 = false }
        #expect(try session(worker) == "ses_1")
        _ = try worker.status { $0 == connected }
    }

    @Test func files_comeAsTheUpload_asLongAsWasSaid() throws {
        let agent = try EchoAgentProcess(state: state.url)
        let worker = try worker(agent)
        let session = try session(worker)
        let content = [UInt8](repeating: 0x61, count: 50_000)
        for (said, isTaken) in [
            ([content.count], true), ([content.count + 1], false), ([30_000_000], false),
            ([0, -5, content.count], false),
        ] {
            let files: [[String: Any]] = said.map { ["name": "a.txt", "mime": "text/plain", "bytes": $0] }
            let id = try worker.request(["op": "run-turn", "session": session, "text": "look", "files": files])
            worker.upload(content, to: id)
            guard isTaken else {
                let answer = try worker.next { $0.header.id == id && $0.header.kind == .error }
                #expect(["refused", "failed"].contains(try WorkerProcess.object(answer)["code"] as? String))
                continue
            }
            var text = ""
            while let event = try worker.event(of: id) {
                if event["event"] as? String == "text-block" { text = event["text"] as? String ?? "" }
            }
            #expect(text.contains("a.txt (text/plain, 50000 bytes)"))
        }
    }

    /// Whoever has opencode's port, of its own user too: nothing was handed over, and chat-bridge keeps the message until
    /// opencode is back.
    @Test(arguments: [
        Listener.Reply(status: "404 Not Found", type: "text/html", body: "no such page"),
        Listener.Reply(status: "404 Not Found", body: #"{"error":"not found"}"#),
        Listener.Reply(type: "text/html", body: "<!doctype html>a page for everything"),
        Listener.Reply(status: "401 Unauthorized", body: #"{"error":"who are you"}"#),
    ])
    func strangerOnItsPort_turnsMayBeAskedForAgain(reply: Listener.Reply) throws {
        let stranger = try Listener.scripted { _ in reply }
        let worker = try WorkerProcess(
            scratch: scratch.url, workspaces: workspaces, values: ["opencode.port": String(stranger.port)])
        for request in [
            ["op": "open-session", "title": "test"], ["op": "run-turn", "session": "ses_1", "text": "patient words"],
        ] {
            let id = try worker.request(request)
            let answer = try WorkerProcess.object(worker.next { $0.header.id == id && $0.header.kind == .error })
            #expect(answer["code"] as? String == "unavailable", "\(answer)")
            let words = try #require(answer["message"] as? String)
            #expect(words.contains("no opencode") || words.contains("refuses the password"), "\(words)")
            #expect(words.contains("Nothing was handed over"), "\(words)")
        }
        stranger.stop()
        let agent = try EchoAgentProcess(state: state.url)
        try worker.tell(values: ["opencode.port": String(agent.port)])
        _ = try worker.next {
            $0.header.kind == .status && String(decoding: $0.payload, as: UTF8.self).contains("connected")
        }
        #expect(try turn(worker, try session(worker), "patient words").last?["outcome"] as? String == "done")
    }

    @Test func description_saysWhoAnswers() throws {
        let agent = try EchoAgentProcess(state: state.url)
        let worker = try worker(agent)
        _ = try session(worker)
        let description = try #require(try worker.ask(["op": "describe"])["description"] as? [String: Any])
        #expect(description["product"] as? String == "echo-agent")
        #expect(description["ready"] as? Bool == true)
        #expect(description["workspaces"] as? [String] == ["home", "other"])
    }

    @Test func withoutAgent_itIsReadyAndSaysSo() throws {
        let worker = try worker(nil)
        let description = try #require(try worker.ask(["op": "describe"])["description"] as? [String: Any])
        #expect(description["ready"] as? Bool == false)
        #expect(description["state"] as? String == "waiting for opencode to listen")
        let status = try worker.next { $0.header.kind == .status }
        #expect(String(decoding: status.payload, as: UTF8.self) == "waiting for opencode to listen")
    }

    @Test func agentThatComesLate_isFoundByItsValue() throws {
        let worker = try worker(nil)
        let asked = try worker.request(["op": "open-session", "title": "early"])
        let agent = try EchoAgentProcess(state: state.url)
        try worker.tell(values: ["opencode.port": String(agent.port)])
        #expect(try worker.next { $0.header.id == asked }.header.kind == .reply)
        let health = try worker.next { $0.header.kind == .health }
        #expect(String(decoding: health.payload, as: UTF8.self) == "opencode healthy")
    }

    @Test func killedAgent_interruptsTheTurnAndIsReportedAndFoundAgain() throws {
        let agent = try EchoAgentProcess(state: state.url)
        let worker = try worker(agent)
        let session = try session(worker)
        let id = try worker.request(["op": "run-turn", "session": session, "text": "/slow 1000"])
        while try worker.event(of: id)?["text"] as? String != "word-2 " {}
        agent.kill()
        var last: [String: Any]?
        while let event = try worker.event(of: id) { last = event }
        #expect(last?["outcome"] as? String == "interrupted")
        #expect((last?["reason"] as? String)?.contains("kept") == true)
        let next = try EchoAgentProcess(state: state.url)
        try worker.tell(values: ["opencode.port": String(next.port)])
        #expect(try turn(worker, session, "again").last?["outcome"] as? String == "done")
    }

    @Test func recycling_isAskedForWhenTheLastTurnHasEnded() throws {
        let agent = try EchoAgentProcess(state: state.url)
        let worker = try worker(agent)
        let id = try worker.request(["op": "run-turn", "session": try session(worker), "text": "/slow 30"])
        while try worker.event(of: id)?["text"] as? String != "word-2 " {}
        try worker.tell(recycle: "opencode")
        var order: [FrameKind] = []
        while order.count < 2 {
            let frame = try worker.next { frame in
                frame.header.kind == .request || (frame.header.id == id && frame.header.kind != .credit)
            }
            if frame.header.kind == .stream {
                worker.credit(frame)
                continue
            }
            order.append(frame.header.kind)
            if frame.header.kind == .request {
                #expect(frame.header.peer == .nexusd && frame.payload == Array("recycle opencode".utf8))
            }
        }
        #expect(order == [.end, .request])
        // And at once when nothing runs; another child is none of its business.
        try worker.tell(recycle: "cloudflared")
        try worker.tell(recycle: "opencode")
        let next = try worker.next { $0.header.kind == .request }
        #expect(next.payload == Array("recycle opencode".utf8))
    }

    @Test func listenerThatDied_isUnhealthy() throws {
        let agent = try EchoAgentProcess(state: state.url)
        let port = String(agent.port)
        agent.kill()
        let worker = try WorkerProcess(
            scratch: scratch.url, workspaces: workspaces, values: ["opencode.port": port])
        let health = try worker.next { $0.header.kind == .health }
        #expect(String(decoding: health.payload, as: UTF8.self) == "opencode unhealthy nothing listens on its port")
    }

    /// What was said of it while it began would else stand until the next round of looks, ten seconds later.
    @Test func agentThatWasBeginning_isHealthyAsSoonAsItIsConnectedTo() throws {
        let begins = Mutex(true)
        let server = try Listener.scripted { path in
            switch path {
            case "/api/health" where begins.withLock({ $0 }):
                Listener.Reply(status: "503 Service Unavailable", body: #"{"pid":7}"#)
            case _ where begins.withLock({ $0 }): Listener.Reply(status: "404 Not Found", body: "{}")
            case "/global/health": Listener.Reply(body: #"{"healthy":true,"version":"1.18.34"}"#)
            case "/global/event":
                Listener.Reply(
                    type: "text/event-stream",
                    body: "data: {\"payload\":{\"type\":\"server.connected\",\"properties\":{}}}\n\n", staysOpen: true)
            case _: Listener.Reply(status: "404 Not Found", body: "{}")
            }
        }
        defer { server.stop() }
        let worker = try WorkerProcess(
            scratch: scratch.url, workspaces: workspaces, values: ["opencode.port": String(server.port)])
        func health() throws -> String {
            String(decoding: try worker.next { $0.header.kind == .health }.payload, as: UTF8.self)
        }
        let first = try health()
        #expect(first == "opencode unhealthy it is starting")
        begins.withLock { $0 = false }
        // How long that takes is a matter of how often it was tried in vain.
        _ = try worker.next {
            $0.header.kind == .status && String(decoding: $0.payload, as: UTF8.self).hasPrefix("connected to")
        }
        let begin = ContinuousClock.now
        #expect(try health() == "opencode healthy")
        #expect(ContinuousClock.now - begin < Limits.healthPause / 2)
    }

    @Test func foreignPlaces_areRefused() async throws {
        let agent = try EchoAgentProcess(state: state.url)
        let worker = try worker(agent)
        #expect(try worker.refusal(["op": "open-session", "title": "x", "workspace": "/etc"]) == "refused")
        let elsewhere = try await V1Calls(loop: try CurlLoop(), endpoint: agent.endpoint)
            .createSession(title: "x", directory: "/etc")
        for fields in [
            ["op": "run-turn", "session": elsewhere.rawValue, "text": "x"],
            ["op": "run-turn", "session": elsewhere.rawValue, "workspace": "home", "text": "x"],
            ["op": "abort", "session": elsewhere.rawValue],
        ] {
            #expect(try worker.refusal(fields) == "refused")
        }
        #expect(try worker.refusal(["op": "run-turn", "session": "ses_nobody", "text": "x"]) == "unknown")
        #expect(try worker.refusal(["op": "format-disk"]) == "bad-request")
        // In words of ours, with the place in the JSON.
        for (fields, words) in [
            (["op": "format-disk"], "\"op\" is nothing that is known"), (["text": "x"], "\"op\" is missing"),
            (["op": "abort", "session": 7], "\"session\" is of another kind"),
        ] as [([String: Any], String)] {
            #expect(
                try worker.words(fields) == "not a request to the agent: \(words); docs/agent.md has what can be asked")
        }
    }

    @Test func permission_isAnsweredOverTheBus() throws {
        let agent = try EchoAgentProcess(state: state.url)
        let worker = try worker(agent)
        let session = try session(worker)
        let id = try worker.request(["op": "run-turn", "session": session, "text": "/permission"])
        var asked: [String: Any] = [:]
        while asked["event"] as? String != "permission-asked" { asked = try worker.event(of: id) ?? [:] }
        let ask = try #require(asked["id"] as? String)
        for (fields, code) in [
            (["op": "answer-permission", "session": session, "id": "per_nobody", "reply": "once"], "unknown"),
            (["op": "answer-question", "session": session, "id": ask], "unknown"),
            (["op": "answer-permission", "session": session, "id": ask, "reply": "perhaps"], "bad-request"),
        ] {
            #expect(try worker.refusal(fields) == code)
        }
        let reply = try worker.ask(["op": "answer-permission", "session": session, "id": ask, "reply": "once"])
        #expect(reply["answered"] as? Bool == true)
        var events: [[String: Any]] = []
        while let event = try worker.event(of: id) { events.append(event) }
        let answered = try #require(events.first { $0["event"] as? String == "answered" })
        #expect(answered["answer"] as? String == "once" && answered["by"] as? String == "user")
        #expect(events.last?["outcome"] as? String == "done")
    }

    /// What a killed agent-worker left at the agent is stopped by the next one, with what it asks, before anything else.
    @Test(arguments: EchoAgentProcess.Line.allCases, ["/permission", "/question", "/subagent", "/slow 1000"])
    func killedInMidTurn_abortOfTheNextOneEndsWhatWasLeft(line: EchoAgentProcess.Line, text: String) throws {
        let agent = try EchoAgentProcess(state: state.url, line: line)
        var worker = try worker(agent)
        let session = try session(worker)
        let id = try worker.request(["op": "run-turn", "session": session, "text": text])
        let asks = ["permission-asked", "question-asked", "text-delta"]
        while let event = try worker.event(of: id), !asks.contains(event["event"] as? String ?? "") {}
        #expect(kill(worker.pid, SIGKILL) == 0)
        worker = try self.worker(agent)
        #expect(try worker.ask(["op": "abort", "session": session])["aborted"] as? Bool == true)
        let events = try turn(worker, session, "next")
        #expect(!events.contains { asks.prefix(2).contains($0["event"] as? String ?? "") }, "\(events)")
        #expect(events.last?["outcome"] as? String == "done")
        let texts = events.compactMap { $0["text"] as? String }.joined()
        #expect(texts.contains("You wrote: next") && !texts.contains("word-"), "\(texts)")
    }

    /// A session that is not there does nothing: a message of it need not wait for that.
    @Test func abortOfASessionThatIsGone_isDone() throws {
        let agent = try EchoAgentProcess(state: state.url)
        #expect(try worker(agent).ask(["op": "abort", "session": "ses_gone"])["aborted"] as? Bool == true)
    }

    @Test func cancel_leavesTheTurn_whichIsFollowedOrStopped() throws {
        let agent = try EchoAgentProcess(state: state.url)
        let worker = try worker(agent)
        let session = try session(worker)
        let id = try worker.request(["op": "run-turn", "session": session, "text": "/slow 1000"])
        let prompt = try #require(try worker.event(of: id)?["prompt"] as? String)
        while try worker.event(of: id)?["text"] as? String != "word-1 " {}
        worker.send(Frame(.cancel, peer: WorkerProcess.client, id: id))
        var again: FrameID
        while true {
            again = try worker.request(["op": "follow-turn", "session": session, "prompt": prompt])
            let first = try worker.next { $0.header.id == again }
            if first.header.kind == .stream { break }
            // Until the first one has let go of it.
            #expect(try WorkerProcess.object(first)["code"] as? String == "busy")
        }
        #expect(try worker.ask(["op": "abort", "session": session])["aborted"] as? Bool == true)
        var outcome: String?
        while outcome == nil { outcome = try worker.event(of: again)?["outcome"] as? String }
        #expect(outcome == "interrupted")
        let next = try turn(worker, session, "next")
        #expect(next.last?["outcome"] as? String == "done")
    }

    @Test func drain_letsTheTurnEnd() throws {
        let agent = try EchoAgentProcess(state: state.url)
        let worker = try worker(agent)
        let id = try worker.request(["op": "run-turn", "session": try session(worker), "text": "/slow 5"])
        while try worker.event(of: id)?["text"] as? String != "word-1 " {}
        worker.send(Frame(.drain, peer: .nexusd, id: .none))
        var last: [String: Any]?
        while let event = try worker.event(of: id) { last = event }
        #expect(last?["outcome"] as? String == "done")
        _ = try worker.next { $0.header.kind == .drained }
        #expect(worker.exitStatus() == 0)
    }
}
