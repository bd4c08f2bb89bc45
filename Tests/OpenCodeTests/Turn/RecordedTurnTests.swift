import AgentModel
import Foundation
import Testing

@testable import OpenCode

/// Frames that were recorded from servers, from bytes to what a reader sees.
struct RecordedTurnTests {
    /// Frames that belong to a session (and those of nobody), as facts.
    private func facts(_ bytes: Data, session: String) throws -> [TurnFact] {
        var parser = SSEParser()
        return try parser.feed(bytes).compactMap(V1Frame.read).flatMap { frame -> [TurnFact] in
            guard frame.session == session, case .facts(let facts) = frame.content else { return [] }
            return facts
        }
    }

    /// Plays the facts of a session's first turn; whatever asks for the state gets what the stream has said by then.
    private func play(_ facts: [TurnFact], prompt: String) -> TurnUnderTest {
        var turn = TurnUnderTest()
        turn.reducer = TurnReducer(prompt: prompt)
        for (index, fact) in facts.enumerated() {
            let before = turn.rereads
            turn.tell(fact)
            guard turn.rereads > before else { continue }
            turn.reread(facts[...index].filter(\.isStored), busy: !facts[...index].isAtRest)
        }
        return turn
    }

    private func user(of facts: [TurnFact], at place: Int = 0) throws -> String {
        let users = facts.compactMap { fact -> String? in
            if case .message(let message) = fact, message.author == .user { message.id } else { nil }
        }
        let distinct = users.enumerated().filter { users.firstIndex(of: $0.element) == $0.offset }.map(\.element)
        return try #require(distinct.dropFirst(place).first)
    }

    private func own(_ name: String) throws -> Data {
        let url = try #require(Bundle.module.url(forResource: name, withExtension: "sse", subdirectory: "Frames"))
        return try Data(contentsOf: url)
    }

    private func session(of bytes: Data) throws -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        return try String(#require(text.firstMatch(of: /ses_[0-9a-zA-Z]+/)).output)
    }

    @Test func echoTurn_isShownWholeAndDone() throws {
        let bytes = try own("echo-turn")
        let facts = try facts(bytes, session: try session(of: bytes))
        let turn = play(facts, prompt: try user(of: facts))
        #expect(turn.screen.outcome == .done)
        #expect(turn.screen.wholeText.hasPrefix("You wrote: grüße 👋🏽\n\nI am the built-in echo agent, not an AI"))
    }

    @Test func wrappedAbortedTurn_isInterruptedAndKeepsItsText() throws {
        let bytes = try own("echo-abort-global")
        let facts = try facts(bytes, session: try session(of: bytes))
        let turn = play(facts, prompt: try user(of: facts, at: 1))
        guard case .interrupted = turn.screen.outcome else { return #expect(Bool(false), "\(turn.screen)") }
        #expect(turn.screen.wholeText == "word-1 word-2 word-3 word-4 ")
    }

    @Test func toolTurn_showsToolPermissionAndBothTexts() throws {
        let bytes = try own("tool-turn")
        let facts = try facts(bytes, session: "ses_07a530dc1ffe5KphE69dmaNcxI")
        let turn = play(facts, prompt: try user(of: facts))
        #expect(turn.screen.outcome == .done)
        #expect(turn.screen.wholeText == "I will look.There are two files.")
        #expect(turn.screen.asked == ["per_f85ad0bd9001Mg5oVHRsfdSH4k"])
        let tool = ToolCall(
            id: "msg_f85acf47a001BhqHLwexuAnYcY/c1", name: "bash", status: .completed, title: "List files",
            input: "command: ls\ndescription: List files", output: "a\nb\n")
        #expect(Array(turn.screen.tools.values) == [tool])
    }

    /// Real bytes of opencode 1.18.4, kept outside the project.
    private static let samples: URL? = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let samples = root.deletingLastPathComponent().appendingPathComponent("shared/reference/opencode/samples")
        guard FileManager.default.fileExists(atPath: samples.path) else {
            print("skipped: no captures of a real opencode in \(samples.path)")
            return nil
        }
        return samples
    }()

    @Test(.enabled(if: samples != nil, "no captures of a real opencode beside the repository"))
    func capturedReasoning_1_18_4() throws {
        let bytes = try Data(
            contentsOf: #require(Self.samples).appendingPathComponent("v1.18.4/sse_frames_reasoning.txt"))
        let message = MessageFact(id: "msg_f8ae49001001Xboh0EYCbEmHM1", author: .assistant, end: nil)
        // The capture begins after the messages themselves.
        let facts = [.message(message)] + (try facts(bytes, session: "ses_0751b7027ffe547oIZ9PDzPETW"))
        let turn = play(facts, prompt: "msg_f8ae48fdc0017dmbGi4hkpD8p7")
        #expect(Array(turn.screen.reasoning.values) == ["This is a simple math problem, not a coding task."])
        #expect(turn.screen.wholeText.hasPrefix("12÷3=4，每人4"))
        #expect(turn.screen.outcome == nil)
    }

    @Test(.enabled(if: samples != nil, "no captures of a real opencode beside the repository"))
    func capturedTurn_1_18_4() throws {
        let bytes = try Data(contentsOf: #require(Self.samples).appendingPathComponent("v1.18.4/sse_frames.txt"))
        let facts = try facts(bytes, session: "ses_07a530dc1ffe5KphE69dmaNcxI")
        let turn = play(facts, prompt: try user(of: facts))
        #expect(turn.screen.wholeText == "好")
        #expect(turn.screen.outcome == nil)
    }

    /// 1.1 has no `sessionID` beside `info` and `part`, and sends growing parts instead of deltas.
    @Test(.enabled(if: samples != nil, "no captures of a real opencode beside the repository"))
    func capturedTurns_1_1_49() throws {
        let url = try #require(Self.samples).appendingPathComponent("v1.1.49/all-events.json")
        let events = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [Any])
        let frames = try events.compactMap { V1Frame.read(Array(try JSONSerialization.data(withJSONObject: $0))) }
        #expect(frames.count == events.count)
        let facts = frames.flatMap { frame -> [TurnFact] in
            guard frame.session == "ses_3ce42bdb9ffeEIUUu08AuKTJms", case .facts(let facts) = frame.content else {
                return []
            }
            return facts
        }
        let first = play(facts, prompt: try user(of: facts))
        #expect(first.screen.outcome == .done)
        #expect(first.screen.wholeText == "Hello from OpenCode")
        let second = play(facts, prompt: try user(of: facts, at: 1))
        #expect(second.screen.outcome == .done)
        #expect(second.screen.tools.values.contains { $0.name == "bash" && $0.status == .completed })
        #expect(second.screen.wholeText.hasPrefix("Here are the top-level contents of the current directory"))
    }
}

extension TurnFact {
    /// What a re-read would find.
    var isStored: Bool {
        switch self {
        case .message, .block, .tool, .toolChanged: true
        case .delta, .blockRemoved, .withdrawn, .busy, .retrying, .idle, .problem, .permission, .question, .answering,
            .notAnswered, .taken, .explaining,
            .answered, .todos, .changes, .usage, .notice:
            false
        }
    }
}

extension BidirectionalCollection where Element == TurnFact {
    fileprivate var isAtRest: Bool {
        for fact in reversed() {
            switch fact {
            case .idle: return true
            case .busy, .retrying: return false
            case .message, .block, .delta, .tool, .toolChanged, .blockRemoved, .withdrawn, .problem, .permission,
                .question, .answering,
                .notAnswered, .taken, .explaining, .answered, .todos, .changes, .usage, .notice:
                continue
            }
        }
        return false
    }
}
