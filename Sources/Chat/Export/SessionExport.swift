import AgentModel
import Foundation

/// Forms of a whole session that another program, or a person, can keep.
public enum ExportFormat: String, Hashable, Sendable, Codable, CaseIterable {
    /// To be read.
    case markdown
    /// One object, to be worked with.
    case json
}

/// A session as one text, piece by piece: no more than a turn of it is in memory.
struct SessionExport {
    let session: ChatSession
    let format: ExportFormat

    /// Before the first turn.
    func head() throws -> String {
        switch format {
        case .json:
            let about = String(decoding: try ChatService.json(About(session)), as: UTF8.self)
            return about.dropLast() + ",\"turns\":["
        case .markdown:
            let place = session.workspace.map { " · workspace \($0)" } ?? ""
            return "# \(Self.line(session.title))\n\nSession \(session.id)\(place) · \(Self.date(session.created))\n"
        }
    }

    /// A turn; `isFirst` of all.
    func turn(_ turn: ChatTurn, _ blocks: [ChatEvent], isFirst: Bool) throws -> String {
        switch format {
        case .json: return (isFirst ? "\n" : ",\n") + String(decoding: try Self.object(turn, blocks), as: UTF8.self)
        case .markdown: return markdown(turn, blocks)
        }
    }

    /// Behind the last.
    func tail() -> String {
        switch format {
        case .json: "\n]}\n"
        case .markdown: ""
        }
    }

    // MARK: - JSON

    private struct About: Encodable {
        var session: SessionID
        var title: String
        var workspace: String?
        var created: Int64
        var updated: Int64

        init(_ session: ChatSession) {
            self.session = session.id
            title = session.title
            workspace = session.workspace
            created = session.created
            updated = session.updated
        }
    }

    private static func object(_ turn: ChatTurn, _ blocks: [ChatEvent]) throws -> [UInt8] {
        struct Whole: Encodable {
            var turn: ChatService.TurnLine
            var blocks: [ChatEvent]
        }
        return try ChatService.json(Whole(turn: ChatService.TurnLine(turn), blocks: blocks))
    }

    // MARK: - Markdown

    private func markdown(_ turn: ChatTurn, _ blocks: [ChatEvent]) -> String {
        var text = "\n## \(Self.date(turn.created))\n\n" + Self.quoted(turn.text) + "\n"
        for file in turn.attachments {
            text += "\n*Attached: \(Self.line(file.name)), \(file.mime.rawValue), \(file.bytes) bytes*\n"
        }
        if turn.isTakenBack { text += "\n*Taken back: the agent does not remember this.*\n" }
        var open: (isReasoning: Bool, text: String)?
        func close() {
            guard let block = open else { return }
            let body = block.text.trimmingCharacters(in: .newlines)
            text +=
                block.isReasoning
                ? "\n*Reasoning*\n\n" + Self.quoted(body) + "\n" : "\n" + OpenMarkdown.closed(body) + "\n"
            open = nil
        }
        for block in blocks {
            switch block.what {
            case .text(_, let piece, let replaces), .reasoning(_, let piece, let replaces):
                let isReasoning = if case .reasoning = block.what { true } else { false }
                // Pieces behind the first of a block are appended to it.
                if replaces || open?.isReasoning != isReasoning { close() }
                open = (isReasoning, (open?.text ?? "") + piece)
            case .tool(let call):
                close()
                text += Self.tool(call)
            case .notice(let words):
                close()
                text += "\n*\(Self.line(words))*\n"
            case .changes(let changes):
                close()
                for change in changes {
                    text +=
                        "\n\(change.status.rawValue) `\(Self.line(change.path))`\n\n"
                        + Self.fenced(change.patch, "diff")
                }
            case .todos(let todos):
                close()
                text +=
                    "\n"
                    + todos.map { "- [\($0.status == .completed ? "x" : " ")] \(Self.line($0.content))\n" }.joined()
            case .permission, .question:
                close()
                guard let asked = block.what.asking else { continue }
                let answered = blocks.lazy.compactMap { $0.what.answered(asked.id) }.first
                text += Self.asking(
                    asked, answered?.words ?? (turn.state.isOver ? "Not answered" : "Waits for an answer"))
            case .accepted, .waiting, .started, .answered, .usage, .ended: continue
            }
        }
        close()
        switch turn.state {
        case .done: break
        case .queued, .running, .interrupted, .failed:
            text += "\n*\(turn.state.rawValue)\(turn.reason.map { ": " + Self.line($0) } ?? "")*\n"
        }
        return text
    }

    private static func tool(_ call: ToolCall) -> String {
        let title = call.title.isEmpty ? "" : ": " + line(call.title)
        return "\n*\(line(call.name))\(title) (\(call.status.rawValue))*\n"
            + (call.input.map { "\n" + fenced($0, "") } ?? "")
            + (call.output.isEmpty ? "" : "\n" + fenced(call.output, ""))
    }

    private static func asking(_ asked: ChatEvent.Asking, _ outcome: String) -> String {
        let (head, body) = asked.words
        return "\n*\(line(head)): \(line(outcome))*\n"
            + (body.isEmpty ? "" : "\n" + fenced(body, ""))
    }

    /// In a fence longer than any in it (CommonMark 0.31, 4.5).
    private static func fenced(_ text: String, _ language: String) -> String {
        var longest = 0
        var run = 0
        for byte in text.utf8 {
            run = byte == UInt8(ascii: "`") ? run + 1 : 0
            longest = max(longest, run)
        }
        let fence = String(repeating: "`", count: max(3, longest + 1))
        return "\(fence)\(language)\n\(text)\(text.hasSuffix("\n") ? "" : "\n")\(fence)\n"
    }

    private static func quoted(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { "> \($0)" }.joined(separator: "\n")
    }

    private static func line(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    private static func date(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(.iso8601)
    }
}

extension ChatService {
    /// Bytes of one piece, below a frame even when JSON writes every byte of it in six.
    private static let pieceBytes = 10_000

    private struct PieceLine: Encodable {
        var type = "piece"
        var text: String
    }

    /// A session as a text; its pieces are to be joined.
    public func export(_ session: SessionID, as format: ExportFormat, to send: Sink) async throws {
        guard let about = try await store.session(session) else {
            throw ChatStore.unknown(session)
        }
        let export = SessionExport(session: about, format: format)
        func tell(_ text: String) async throws {
            for piece in text.chunks(of: Self.pieceBytes) where !piece.isEmpty {
                try await send(Self.json(PieceLine(text: piece)))
            }
        }
        try await tell(export.head())
        var last = TurnID(rawValue: 0)
        var isFirst = true
        while let turns = try await nextTurns(of: session, after: last) {
            for turn in turns {
                try await tell(export.turn(turn, try await store.blocks(of: turn), isFirst: isFirst))
                isFirst = false
                last = turn.id
            }
        }
        try await tell(export.tail())
    }

    private func nextTurns(of session: SessionID, after last: TurnID) async throws -> [ChatTurn]? {
        let turns = try await store.turns(of: session, after: last, limit: 64)
        return turns.isEmpty ? nil : turns
    }
}
