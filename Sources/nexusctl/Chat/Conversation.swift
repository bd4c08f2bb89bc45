import ControlClient
import Glibc
import SupervisorCore
import Wire

/// Messages and their answers: one, or line by line from a prompt.
final class Conversation {
    private let link: ChatLink
    private let workspace: String?
    private let json: Bool
    private let interrupts: Interrupts
    private var session: String?

    // Before chat-bridge is asked again.
    private static let retryPauseMilliseconds: Int32 = 200
    /// Longest line that is read from the keyboard or a pipe.
    private static let lineLimit = 60_000

    init(link: ChatLink, session: String?, workspace: String?, json: Bool) throws(ControlError) {
        self.link = link
        self.session = session
        self.workspace = workspace
        self.json = json
        interrupts = try Interrupts()
    }

    /// One message; the exit status.
    func once(_ text: String) throws(ControlError) -> Int32 {
        let status = try answer(text)
        if !json, isatty(STDERR_FILENO) == 1, let session {
            Output.complain(
                Terminal.standardOutput.styled("[session \(session): nexusctl chat --session \(session)]", .dim))
        }
        return status
    }

    /// Lines from standard input until its end, Ctrl-D or Ctrl-C; the exit status of the last turn.
    func prompt() throws(ControlError) -> Int32 {
        let isTerminal = isatty(STDIN_FILENO) == 1
        if isTerminal {
            Output.complain("A line is a message. Ctrl-C stops the answer; Ctrl-D, or Ctrl-C here, leaves.")
        }
        var status: Int32 = 0
        while true {
            if isTerminal { Output.write("> ") }
            guard let line = try readLine() else { break }
            if line.allSatisfy(\.isWhitespace) { continue }
            status = try answer(line)
        }
        if isTerminal { Output.write("\n") }
        if isTerminal, let session { Output.complain("session \(session): nexusctl chat --session \(session)") }
        return status
    }

    /// What happened to a turn so far.
    private struct Turn {
        let clientID: String
        let text: String
        var printer: TurnPrinter
        var request: FrameID
        var number: Int64?
        var lastSeen: Int64 = 0
        var interrupts = 0
        var end: String?
    }

    private func answer(_ text: String) throws(ControlError) -> Int32 {
        let clientID = Self.randomID()
        let id = try send(text, clientID)
        var turn = Turn(clientID: clientID, text: text, printer: TurnPrinter(for: .standardOutput), request: id)
        let giveUp = ControlConnection.now() + ChatLink.patienceMilliseconds
        while turn.end == nil {
            do throws(ControlError) {
                try follow(&turn)
            } catch {
                guard error.code == .failed, !link.connection.isClosed, ControlConnection.now() < giveUp else {
                    throw explained(error, turn)
                }
                // chat-bridge went away, as it seems. The same message with the same id is not taken twice: what
                // comes is the rest of its turn.
                turn.printer.note("\(error.message); asking again")
                _ = interrupts.wait(orReadable: -1, milliseconds: Self.retryPauseMilliseconds)
                turn.request = try send(text, clientID)
            }
            if turn.interrupts > 1 { return 130 }
        }
        return turn.end == "done" ? 0 : 1
    }

    private func send(_ text: String, _ clientID: String) throws(ControlError) -> FrameID {
        var members: [JSONValue.Member] = [.init("op", .string("send"))]
        members.append(.init("session", session.map { .string($0) } ?? .null))
        if let workspace { members.append(.init("workspace", .string(workspace))) }
        members += [.init("text", .string(text)), .init("client_id", .string(clientID))]
        return try link.ask(members)
    }

    /// Until the turn ends, the user leaves, or something fails.
    private func follow(_ turn: inout Turn) throws(ControlError) {
        while turn.end == nil {
            if !link.connection.hasFrame, case .interrupt = interrupts.wait(orReadable: link.connection.descriptor) {
                try interrupted(&turn)
                if turn.interrupts > 1 { return }
                continue
            }
            guard let frame = try link.connection.next(), frame.header.id == turn.request else { continue }
            switch frame.header.kind {
            case .stream: take(try ControlConnection.json(frame.payload), frame.payload, &turn)
            case .error: throw ControlConnection.failure(frame.payload)
            case .end, .reply:
                throw ControlError(.failed, "chat-bridge ended its answer before the turn was over")
            case .hello, .welcome, .request, .event, .cancel, .credit, .ping, .pong, .drain, .drained, .ready, .status,
                .health:
                continue
            }
        }
    }

    private func take(_ event: JSONValue, _ line: [UInt8], _ turn: inout Turn) {
        let type = event["type"]?.text
        if type == "accepted" {
            session = event["session"]?.text ?? session
            // After asking again it is said again; one line of JSON a fact.
            if turn.number != nil { return }
            turn.number = event["turn"]?.number
        }
        if let number = event["seq"]?.number {
            guard number > turn.lastSeen else { return }
            turn.lastSeen = number
        }
        if json { Output.write(line + [UInt8(ascii: "\n")]) } else { turn.printer.show(event) }
        if type == "ended" { turn.end = event["state"]?.text ?? "failed" }
    }

    private func interrupted(_ turn: inout Turn) throws(ControlError) {
        turn.interrupts += 1
        guard turn.interrupts == 1, let session, let number = turn.number else {
            turn.interrupts = max(turn.interrupts, 2)
            try link.cancel(turn.request)
            turn.printer.note("left; the turn goes on without you: nexusctl chat --history \(session ?? "")")
            return
        }
        turn.printer.note("stopping the turn; Ctrl-C again leaves without waiting")
        _ = try link.ask([
            .init("op", .string("abort")), .init("session", .string(session)), .init("turn", .integer(number)),
        ])
    }

    private func explained(_ error: ControlError, _ turn: Turn) -> ControlError {
        guard let session, turn.number != nil else {
            let hint = error.hint ?? "whether the message was stored is not known; see: nexusctl chat --list"
            return ControlError(error.code, error.message, hint: error.code == .failed ? hint : error.hint)
        }
        return ControlError(
            error.code, "cut off while the agent was answering: \(error.message)",
            hint: "the message is stored, and what arrives is kept: nexusctl chat --history \(session)")
    }

    /// A line without its newline; nil at the end, or when Ctrl-C came first.
    private func readLine() throws(ControlError) -> String? {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                defer { pending.removeSubrange(...end) }
                return String(decoding: pending[..<end], as: UTF8.self)
            }
            guard pending.count <= Self.lineLimit else {
                throw ControlError(.usage, "a line is longer than \(Self.lineLimit) bytes")
            }
            if case .interrupt = interrupts.wait(orReadable: STDIN_FILENO) { return nil }
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = read(STDIN_FILENO, &bytes, bytes.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                defer { pending = [] }
                return pending.isEmpty ? nil : String(decoding: pending, as: UTF8.self)
            }
            pending += bytes[..<count]
        }
    }

    private var pending: [UInt8] = []

    // 128 random bits: two messages never have the same.
    private static func randomID() -> String {
        let bits = UInt64.random(in: .min ... .max)
        let more = UInt64.random(in: .min ... .max)
        return String(bits, radix: 16) + "-" + String(more, radix: 16)
    }
}
