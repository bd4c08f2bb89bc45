import AgentModel
import Foundation
import Testing

/// The JSON between chat-bridge and agent-worker, as docs/agent.md has it.
struct AgentModelCodingTests {
    private func json<Value: Encodable>(_ value: Value) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private func read<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    static let session = AgentSessionID(rawValue: "ses_1")

    @Test(arguments: [
        (AgentRequest.describe, #"{"op":"describe"}"#),
        (.openSession(title: "t", workspace: nil), #"{"op":"open-session","title":"t"}"#),
        (.openSession(title: "t", workspace: "w"), #"{"op":"open-session","title":"t","workspace":"w"}"#),
        (
            .runTurn(session: session, workspace: "w", text: "hi"),
            #"{"op":"run-turn","session":"ses_1","text":"hi","workspace":"w"}"#
        ),
        (.abort(session: session), #"{"op":"abort","session":"ses_1"}"#),
        (
            .answerPermission(session: session, id: "per_1", reply: .always, message: nil),
            #"{"id":"per_1","op":"answer-permission","reply":"always","session":"ses_1"}"#
        ),
        (
            .answerPermission(session: session, id: "per_1", reply: .reject, message: "no"),
            #"{"id":"per_1","message":"no","op":"answer-permission","reply":"reject","session":"ses_1"}"#
        ),
        (
            .answerQuestion(session: session, id: "que_1", answers: [["a", "b"], []]),
            #"{"answers":[["a","b"],[]],"id":"que_1","op":"answer-question","session":"ses_1"}"#
        ),
        (
            .answerQuestion(session: session, id: "que_1", answers: nil),
            #"{"id":"que_1","op":"answer-question","session":"ses_1"}"#
        ),
    ])
    func request_roundTrips(request: AgentRequest, text: String) throws {
        #expect(try json(request) == text)
        #expect(try read(AgentRequest.self, text) == request)
    }

    @Test(arguments: [
        (AgentReply.session(session), #"{"session":"ses_1"}"#), (.aborted, #"{"aborted":true}"#),
        (.answered, #"{"answered":true}"#),
        (
            .description(
                AgentDescription(product: "opencode", version: "1.2", ready: true, state: "s", workspaces: ["w"])),
            #"{"description":{"product":"opencode","ready":true,"state":"s","version":"1.2","workspaces":["w"]}}"#
        ),
    ])
    func reply_roundTrips(reply: AgentReply, text: String) throws {
        #expect(try json(reply) == text)
        #expect(try read(AgentReply.self, text) == reply)
    }

    @Test(arguments: [
        (AgentEvent.turnStarted(), #"{"event":"turn-started"}"#),
        (.textDelta(block: "b", text: "x"), #"{"block":"b","event":"text-delta","text":"x"}"#),
        (.textBlock(block: "b", text: "x"), #"{"block":"b","event":"text-block","text":"x"}"#),
        (.reasoningDelta(block: "b", text: "x"), #"{"block":"b","event":"reasoning-delta","text":"x"}"#),
        (
            .tool(ToolCall(id: "i", name: "bash", status: .running, title: "ls", output: "o")),
            #"{"event":"tool","tool":{"id":"i","name":"bash","output":"o","status":"running","title":"ls"}}"#
        ),
        (
            .permissionAsked(
                PermissionAsk(id: "p", action: "bash", resources: ["ls"], always: ["ls *"], tool: "m/c", details: "d")),
            #"{"action":"bash","always":["ls *"],"details":"d","event":"permission-asked","id":"p","#
                + #""resources":["ls"],"tool":"m/c"}"#
        ),
        (
            .questionAsked(
                QuestionAsk(
                    id: "q",
                    questions: [
                        .init(
                            header: "h", question: "?", options: [.init(label: "a", description: "b")], multiple: true,
                            custom: false)
                    ])),
            #"{"event":"question-asked","id":"q","questions":[{"custom":false,"header":"h","multiple":true,"#
                + #""options":[{"description":"b","label":"a"}],"question":"?"}]}"#
        ),
        (
            .answered(Answered(id: "p", answer: .reject, by: .default)),
            #"{"answer":"reject","by":"default","event":"answered","id":"p"}"#
        ),
        (
            .todos([Todo(content: "c", status: .inProgress, priority: "high")]),
            #"{"event":"todos","todos":[{"content":"c","priority":"high","status":"in_progress"}]}"#
        ),
        (
            .changes([FileChange(path: "f", status: .added, additions: 1, deletions: 0, patch: "+x")]),
            #"{"changes":[{"additions":1,"deletions":0,"patch":"+x","path":"f","status":"added"}],"event":"changes"}"#
        ),
        (
            .usage(Usage(input: 1, output: 2, cacheRead: 3, cost: 0.5, model: "p/m")),
            #"{"event":"usage","usage":{"cache_read":3,"cache_write":0,"cost":0.5,"input":1,"model":"p/m","output":2,"#
                + #""reasoning":0}}"#
        ),
        (.notice("n"), #"{"event":"notice","text":"n"}"#),
        (.turnEnded(.done), #"{"event":"turn-ended","outcome":"done"}"#),
        (
            .turnEnded(.interrupted(reason: "r")),
            #"{"event":"turn-ended","outcome":"interrupted","reason":"r"}"#
        ),
        (.turnEnded(.failed(reason: "r")), #"{"event":"turn-ended","outcome":"failed","reason":"r"}"#),
    ])
    func event_roundTrips(event: AgentEvent, text: String) throws {
        #expect(try json(event) == text)
        #expect(try read(AgentEvent.self, text) == event)
    }

    @Test(arguments: [#"{"op":"format-disk"}"#, "{}", "[]", #"{"op":"run-turn","session":"s"}"#])
    func unknownRequest_isRefused(text: String) {
        #expect(throws: DecodingError.self) { try read(AgentRequest.self, text) }
    }

    /// Worst cases for JSON: control characters take six bytes each.
    @Test(arguments: ["a", "\u{01}", "\"", "ü", "👋🏽", "e\u{301}"])
    func longText_isCutToFramesAndAddsUp(unit: String) throws {
        let text = String(repeating: unit, count: 40_000)
        for event in [
            AgentEvent.textDelta(block: "b", text: text), .textBlock(block: "b", text: text),
            .reasoningDelta(block: "b", text: text),
        ] {
            var shown = ""
            for piece in event.pieces {
                #expect(try json(piece).utf8.count <= 65_520)
                switch piece {
                case .textDelta(_, let text), .reasoningDelta(_, let text): shown += text
                case .textBlock(_, let text): shown = text
                case let other: Issue.record("unexpected \(other)")
                }
            }
            #expect(Array(shown.utf8) == Array(text.utf8))
        }
    }

    /// A whole text replaces what was shown in one step, however many frames it comes in.
    @Test(arguments: [1, 10_000, 10_001, 40_000])
    func wholeText_isPutTogetherFromItsFrames(count: Int) throws {
        let event = AgentEvent.textBlock(block: "b", text: String(repeating: "ü", count: count))
        var frames = AgentFrames()
        var events: [AgentEvent] = []
        for frame in event.frames { events += frames.take(try read(AgentFrame.self, try json(frame))) }
        events += frames.take(AgentFrame(event: .notice("n")))
        #expect(events == [event, .notice("n")])
    }

    @Test func textAboveTheLimit_goesOnByBeingAppended_andNothingOfABrokenOneIsLost() throws {
        let text = String(repeating: "x", count: AgentFrames.joinLimit + 25_000)
        var frames = AgentFrames()
        let events = AgentEvent.textBlock(block: "b", text: text).frames.flatMap { frames.take($0) }
        #expect(
            events.map {
                switch $0 {
                case .textBlock(_, let text), .textDelta(_, let text): text
                case let other: "unexpected \(other)"
                }
            }.joined() == text)
        #expect(frames.take(AgentFrame(event: .textBlock(block: "c", text: "half"), goesOn: true)).isEmpty)
        #expect(
            frames.take(AgentFrame(event: .notice("n"))) == [.textBlock(block: "c", text: "half"), .notice("n")])
    }

    @Test(arguments: ["a", "\u{01}", "\"", "👋🏽"])
    func longFields_areCut(unit: String) throws {
        let text = String(repeating: unit, count: 40_000)
        let events: [AgentEvent] = [
            .tool(ToolCall(id: "i", name: text, status: .completed, title: text, input: text, output: text)),
            .permissionAsked(
                PermissionAsk(
                    id: "p", action: text, resources: Array(repeating: text, count: 100),
                    always: Array(repeating: text, count: 100), tool: text, details: text)),
            .questionAsked(
                QuestionAsk(
                    id: "q",
                    questions: Array(
                        repeating: .init(
                            header: text, question: text,
                            options: Array(repeating: .init(label: text, description: text), count: 100),
                            multiple: true, custom: true), count: 100))),
            .todos(Array(repeating: Todo(content: text, status: .pending, priority: text), count: 500)),
            .changes(
                Array(
                    repeating: FileChange(path: text, status: .added, additions: 1, deletions: 1, patch: text),
                    count: 500)),
            .notice(text), .turnEnded(.failed(reason: text)), .turnEnded(.interrupted(reason: text)),
        ]
        for event in events {
            #expect(event.pieces.count == 1)
            for piece in event.pieces { #expect(try json(piece).utf8.count <= 65_520) }
        }
    }

    /// Whoever answers sees what there is, and what he does not see gets no answer.
    @Test func manyQuestions_areShownUpToABound_andAnsweredAsTheyWereAsked() throws {
        let label = String(repeating: "l", count: 500)
        let given = (0..<45).map { number in
            QuestionAsk.Question(
                header: "h", question: "q\(number)",
                options: (0..<10).map { .init(label: "\($0) \(label)", description: "") }, multiple: false,
                custom: false)
        }
        func told(_ ask: QuestionAsk) throws -> QuestionAsk {
            guard case .questionAsked(let told)? = AgentEvent.questionAsked(ask).pieces.first else {
                throw CancellationError()
            }
            return told
        }
        let ask = QuestionAsk(id: "q", questions: given)
        let shown = try told(ask).questions
        #expect(shown.count == 40 && shown[0].question == "q0 [5 more choices are not shown]")
        #expect(shown[39].question.hasSuffix("[5 more questions are not shown, and get no answer]"))
        let answers = ask.answers(toShown: shown.map { [$0.options[1].label] })
        #expect(answers == given.prefix(40).map { [$0.options[1].label] } + Array(repeating: [], count: 5))
        // Only a label of the card is one, not words of somebody's own that end alike.
        let own = ask.answers(toShown: shown.map { _ in ["1 lll…"] })
        #expect(own.prefix(40).allSatisfy { $0 == ["1 lll…"] })
        // Too few are none of that, and eleven of eleven were never too many.
        #expect(ask.answers(toShown: [["x"]]) == [["x"]])
        let eleven = QuestionAsk(id: "q", questions: Array(given.prefix(11)))
        #expect(try told(eleven).questions.count == 11)
        let short = QuestionAsk(
            id: "q",
            questions: [
                .init(
                    header: "h", question: "q", options: (0..<40).map { .init(label: "\($0)", description: "d") },
                    multiple: true, custom: true)
            ])
        #expect(try told(short) == short)
    }

    /// Whoever allows it must know that there is more than he sees.
    @Test func whatIsAskedLeaveFor_saysWhatDoesNotFit() throws {
        let many = (0..<14).map { "pattern \($0)" }
        let command = String(repeating: "x", count: 3200)
        let ask = PermissionAsk(id: "p", action: "bash", resources: many, always: many, tool: nil, details: command)
        let pieces = AgentEvent.permissionAsked(ask).pieces
        guard case .permissionAsked(let told)? = pieces.first else {
            Issue.record("\(pieces)")
            return
        }
        #expect(told.resources.count == 10 && told.resources.last == "… and 5 more that are not shown")
        #expect(told.always == told.resources)
        #expect(told.details?.hasSuffix("x… [200 bytes more are not shown]") == true)
    }
}
