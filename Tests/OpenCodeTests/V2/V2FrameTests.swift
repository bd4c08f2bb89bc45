import AgentModel
import Foundation
import Testing

@testable import OpenCode

/// Frames of 2.x as facts: the examples of the contract's own words, and what it has beside them.
struct V2FrameTests {
    private func frame(_ json: String) throws -> LineFrame { try #require(V2Frame.read(Array(json.utf8))) }

    private func fact(_ type: String, _ data: String) throws -> TurnFact {
        let read = try frame(#"{"id":"evt_1","created":1,"type":"\#(type)","data":\#(data)}"#)
        guard read.session == "ses_1", case .facts(let facts) = read.content else {
            throw Unexpected(what: "\(read)")
        }
        return try #require(facts.first)
    }

    private struct Unexpected: Error {
        let what: String
    }

    @Test func connected_isToldWithoutASession() throws {
        let read = try frame(#"{"id":"evt_1","type":"server.connected","data":{}}"#)
        #expect(read == LineFrame(session: nil, content: .connected))
    }

    @Test func childSession_namesItsParent() throws {
        let read = try frame(
            #"{"id":"evt_1","created":1,"type":"session.created","data":{"sessionID":"ses_2","parentID":"ses_1"}}"#)
        #expect(read == LineFrame(session: "ses_2", content: .session(parent: "ses_1")))
    }

    @Test(arguments: ["nothing.known", "session.viewed", "rpc", "tui.toast.show"])
    func unknownType_saysNothing(type: String) throws {
        #expect(try frame(#"{"id":"e","type":"\#(type)","data":{"x":[1]}}"#).content == .nothing)
    }

    @Test(arguments: ["", "{}", #"{"type":"session.text.delta","data":{"sessionID":"ses_1"}}"#, "[]"])
    func brokenFrame_isNone(json: String) { #expect(V2Frame.read(Array(json.utf8)) == nil) }

    @Test(arguments: [
        (#"{"type":"provider.auth","message":"no key"}"#, "nexusctl agent login"),
        (#"{"type":"ProviderError","message":"401 from provider","status":401}"#, "nexusctl agent login"),
        (#"{"type":"provider.no-route","message":"No model selected"}"#, "has no model to ask: No model selected"),
        (#"{"type":"provider.rate-limit","message":"slow","status":429}"#, "answered with an error (status 429): slow"),
        (#"{"type":"provider.content-filter","message":"no"}"#, "content filter"),
        (#"{"type":"compaction.failed","message":"too long"}"#, "opencode reported: too long"),
    ])
    func errors_areWords(json: String, words: String) throws {
        let fact = try fact("session.execution.failed", #"{"sessionID":"ses_1","error":\#(json)}"#)
        guard case .problem(let problem) = fact else { throw Unexpected(what: "\(fact)") }
        #expect(!problem.isAbort && problem.words.contains(words), "\(problem.words)")
    }

    @Test(arguments: [("user", "was stopped"), ("shutdown", "shut down"), ("inactivity", "gave the turn up")])
    func interruption_saysWhy(reason: String, words: String) throws {
        let fact = try fact("session.execution.interrupted", #"{"sessionID":"ses_1","reason":"\#(reason)"}"#)
        guard case .problem(let problem) = fact else { throw Unexpected(what: "\(fact)") }
        #expect(problem.isAbort && problem.words.contains(words), "\(problem.words)")
    }

    @Test func abortedStep_isAStoppedAnswer() throws {
        let fact = try fact(
            "session.step.failed",
            #"{"sessionID":"ses_1","assistantMessageID":"msg_2","error":{"type":"aborted","message":"Step interrupted"}}"#
        )
        #expect(fact == .message(MessageFact(id: "msg_2", author: .assistant, end: .failed(.stopped))))
    }

    @Test func permission_carriesWhatToJudgeBy() throws {
        let fact = try fact(
            "permission.asked",
            #"{"id":"per_1","sessionID":"ses_1","action":"shell","resources":["rm -rf build"],"save":["rm *"],"#
                + #""metadata":{"command":"rm -rf build && ls","n":1},"source":{"type":"tool","messageID":"msg_2","id":"c1"}}"#
        )
        let ask = PermissionAsk(
            id: "per_1", action: "shell", resources: ["rm -rf build"], always: ["rm *"], tool: "msg_2/c1",
            details: "rm -rf build && ls")
        #expect(fact == .permission(ask))
    }

    /// As the tool `question` makes it: values are labels, and own words are taken.
    @Test func form_isAQuestionForEachField() throws {
        let fact = try fact("form.created", #"{"form":\#(Self.form)}"#)
        let questions: [QuestionAsk.Question] = [
            .init(
                header: "Database", question: "Which database?",
                options: [.init(label: "SQLite", description: "one file"), .init(label: "Postgres", description: "")],
                multiple: false, custom: false),
            .init(
                header: "Colours", question: "Which colours?", options: [.init(label: "red", description: "")],
                multiple: true, custom: true),
            .init(header: "How many", question: "How many", options: [], multiple: false, custom: true),
            .init(
                header: "", question: "Sure?",
                options: [.init(label: "yes", description: ""), .init(label: "no", description: "")], multiple: false,
                custom: false),
            .init(
                header: "", question: "Questions https://pay.invalid/1",
                options: [.init(label: "done", description: "after opening the address")], multiple: false,
                custom: false),
        ]
        #expect(fact == .question(QuestionAsk(id: "frm_1", questions: questions, tool: "msg_2/c1")))
    }

    @Test func answers_becomeTheFormsValues() throws {
        let form = try JSONDecoder().decode(V2Form.self, from: Data(Self.form.utf8))
        let answer = try form.answer([["Postgres"], ["red", "mauve"], ["3"], ["yes"], ["done"]])
        let expected: [String: V2FormValue] = [
            "q0": .text("postgres"), "q1": .texts(["red", "mauve"]), "count": .number(3), "sure": .yes(true),
        ]
        #expect(answer == expected)
        // The third counts only with Postgres, so nothing is said to it.
        #expect(try form.answer([["SQLite"], [], ["3"], ["no"], []]) == ["q0": .text("sqlite"), "sure": .yes(false)])
        #expect(throws: AgentFailure.self) { try form.answer([["Postgres"], [], ["three"], ["no"], []]) }
        #expect(throws: AgentFailure.self) { try form.answer([[], [], [], ["no"], []]) }
        let json = String(decoding: try JSONEncoder().encode([V2FormValue.number(3), .number(0.5)]), as: UTF8.self)
        #expect(json == "[3,0.5]")
    }

    private static let form = #"""
        {"id":"frm_1","sessionID":"ses_1","title":"Questions","metadata":{"kind":"question","tool":{"messageID":"msg_2","id":"c1"}},
        "fields":[
        {"key":"q0","type":"string","title":"Database","description":"Which database?","required":true,"custom":false,
         "options":[{"value":"sqlite","label":"SQLite","description":"one file"},{"value":"postgres","label":"Postgres"}]},
        {"key":"q1","type":"multiselect","title":"Colours","description":"Which colours?","custom":true,
         "options":[{"value":"red","label":"red"}]},
        {"key":"count","type":"integer","title":"How many","when":[{"key":"q0","op":"eq","value":"postgres"}]},
        {"key":"token","type":"string","hidden":true,"default":"x"},
        {"key":"sure","type":"boolean","description":"Sure?","required":true},
        {"key":"pay","type":"external","url":"https://pay.invalid/1"}]}
        """#
}
