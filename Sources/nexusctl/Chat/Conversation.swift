import ControlClient
import Glibc
import SupervisorCore
import Wire

/// Messages and their answers: one, or line by line from a prompt.
final class Conversation {
    private let link: ChatLink
    private let workspace: String?
    /// Model and agent, with the first message.
    private var choice: [JSONValue.Member]
    private let json: Bool
    private let interrupts: Interrupts
    private var session: String?
    /// Ctrl-C came during the last answer.
    private var wasInterrupted = false

    // Before chat-bridge is asked again.
    private static let retryPauseMilliseconds: Int32 = 200
    /// A message that the agent does not have after this long: nexusd is asked what is in the way, again and again.
    private static let waitingMilliseconds: Int32 = 1000

    init(link: ChatLink, session: String?, workspace: String?, choice: [JSONValue.Member] = [], json: Bool)
        throws(ControlError)
    {
        self.link = link
        self.session = session
        self.workspace = workspace
        self.choice = choice
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
        guard isatty(STDIN_FILENO) == 1 else {
            var lines = PlainLines()
            var status: Int32 = 0
            while let line = try lines.next(interrupts) {
                if !line.allSatisfy(\.isWhitespace) { status = try answer(line) }
            }
            return status
        }
        Output.complain(
            "A line is a message. Ctrl-C stops the answer, or drops the line; Ctrl-D, or Ctrl-C on an empty line, leaves."
        )
        let status = try sitting()
        if let session { Output.complain("session \(session): nexusctl chat --session \(session)") }
        return status
    }

    /// A message that is refused does not end the sitting: another one may be right.
    private func sitting() throws(ControlError) -> Int32 {
        let keyboard = Keyboard()
        var lines = PlainLines()
        var status: Int32 = 0
        while true {
            let next: String?
            if let keyboard {
                next = keyboard.line(interrupts, isAskedAgain: wasInterrupted)
            } else {
                Output.write("> ")
                next = try lines.next(interrupts)
                if next == nil { Output.write("\n") }
            }
            guard let line = next else { return status }
            wasInterrupted = false
            if line.allSatisfy(\.isWhitespace) { continue }
            do throws(ControlError) {
                status = try RawMode.keepingTyping { () throws(ControlError) in try answer(line) }
            } catch {
                if link.connection.isClosed { throw error }
                Output.complain(error.text)
                status = error.exitStatus
            }
        }
    }

    /// What happened to a turn so far.
    private struct Turn {
        let clientID: String
        let text: String
        var printer: TurnPrinter
        var request: FrameID
        var number: Int64?
        /// The agent does not have it yet.
        var isWaiting = true
        /// The last attempt failed because chat-bridge was not there, or went away.
        var lostBridge = false
        /// Since when nothing has come, in milliseconds of `ControlConnection.now()`; nil: something has since it was asked again.
        var lost: Int64?
        var lastSeen: Int64 = 0
        var interrupts = 0
        var end: String?
        var asks: Asks
        /// Answers that chat-bridge was given and has not confirmed.
        var answers: Set<FrameID> = []
    }

    private func answer(_ text: String) throws(ControlError) -> Int32 {
        // A frame would not hold it; the words are chat-bridge's.
        let size = MessageText.size(of: text)
        guard size <= MessageText.byteLimit else {
            throw ControlError(
                .usage, "the message is too long: \(size) bytes, at most \(MessageText.byteLimit)",
                hint: "put the text into a file of the workspace and name it")
        }
        try link.requireBridge(hint: "the message was not sent and is not stored")
        let clientID = Self.randomID()
        let id = try send(text, clientID)
        var turn = Turn(
            clientID: clientID, text: text, printer: TurnPrinter(for: .standardOutput), request: id,
            asks: Asks(json: json))
        while turn.end == nil {
            do throws(ControlError) {
                try follow(&turn)
            } catch {
                try askAgain(after: error, &turn)
            }
            if turn.interrupts > 1 { return 130 }
        }
        return turn.end == "done" ? 0 : 1
    }

    /// chat-bridge went away, as it seems, or nexusd did, which goes on as another program. The same message with the same id is
    /// not taken twice: what comes is the rest of its turn.
    private func askAgain(after failure: ControlError, _ turn: inout Turn) throws(ControlError) {
        let isClosed = link.connection.isClosed
        guard turn.lostBridge || isClosed && failure.code == .failed else { throw explained(failure, turn) }
        turn.lostBridge = true
        let lost = turn.lost ?? ControlConnection.now()
        turn.lost = lost
        let words = "nexusd ended the connection: it was killed, or goes on as another program"
        turn.printer.note("\(isClosed ? words : failure.message); asking again")
        while ControlConnection.now() < lost + ChatLink.patienceMilliseconds {
            if !link.connection.isClosed, let obstacle = link.chain.obstacle(among: [ChatLink.worker]) {
                throw explained(ControlError(.failed, obstacle), turn)
            }
            if case .interrupt = interrupts.wait(orReadable: [], milliseconds: Self.retryPauseMilliseconds) {
                return leave(&turn)
            }
            do throws(ControlError) {
                if link.connection.isClosed {
                    try link.reconnect()
                    // Who comes while nexusd becomes another program waits for that one's first word.
                    let word = interrupts.wait(
                        orReadable: [link.connection.descriptor], milliseconds: Int32(ChatLink.patienceMilliseconds))
                    if case .interrupt = word { return leave(&turn) }
                    // Numbers begin anew.
                    turn.answers = []
                }
                turn.request = try send(turn.text, turn.clientID)
                turn.lostBridge = false
                if turn.interrupts == 1 { try abort(turn) }
                return
            } catch {
                let isAbsent = error.code == .notRunning
                if error.code == .refused { throw explained(error, turn) }
                if isAbsent, ControlConnection.now() >= lost + ChatLink.absenceMilliseconds { break }
            }
        }
        throw explained(failure, turn)
    }

    private func send(_ text: String, _ clientID: String) throws(ControlError) -> FrameID {
        var members: [JSONValue.Member] = [.init("op", .string("send"))]
        members.append(.init("session", session.map { .string($0) } ?? .null))
        if let workspace { members.append(.init("workspace", .string(workspace))) }
        members += choice + [.init("text", .string(text)), .init("client_id", .string(clientID))]
        return try link.ask(members)
    }

    /// Until the turn ends, the user leaves, or something fails.
    private func follow(_ turn: inout Turn) throws(ControlError) {
        while turn.end == nil {
            if !link.connection.hasFrame {
                let patience = turn.isWaiting ? Self.waitingMilliseconds : nil
                let input = turn.asks.isOpen ? [STDIN_FILENO] : []
                switch interrupts.wait(orReadable: [link.connection.descriptor] + input, milliseconds: patience) {
                case .interrupt:
                    try interrupted(&turn)
                    if turn.interrupts > 1 { return }
                    continue
                case .timeout:
                    noteObstacle(&turn)
                    continue
                case .ready(link.connection.descriptor): break
                case .ready:
                    try readAnswer(&turn)
                    continue
                }
            }
            // Never waiting in there: what came may be half a frame, or one that is not for us, and Ctrl-C comes elsewhere.
            guard let frame = try link.connection.next(until: ControlConnection.now()) else { continue }
            if turn.answers.remove(frame.header.id) != nil { noteRefusal(frame, &turn) }
            guard frame.header.id == turn.request else { continue }
            switch frame.header.kind {
            case .stream: take(try ControlConnection.json(frame.payload), frame.payload, &turn)
            case .error:
                turn.lostBridge = ChatLink.isLoss(frame.payload)
                throw ControlConnection.failure(frame.payload)
            case .end, .reply:
                turn.lostBridge = true
                throw ControlError(.failed, "chat-bridge ended its answer before the turn was over")
            case .hello, .welcome, .request, .event, .cancel, .credit, .ping, .pong, .drain, .drained, .ready, .status,
                .health:
                continue
            }
        }
    }

    /// A message that is stored may wait for a child that comes back by nobody's doing but the owner's.
    private func noteObstacle(_ turn: inout Turn) {
        guard turn.number != nil, !json, let obstacle = link.chain.obstacle(among: Chain.agent) else { return }
        turn.printer.note("the message is stored and waits: \(obstacle)")
    }

    private func take(_ event: JSONValue, _ line: [UInt8], _ turn: inout Turn) {
        let type = event["type"]?.text
        turn.lost = nil
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
        if type != "accepted", type != "waiting" { turn.isWaiting = false }
        if json {
            Output.write(json: line)
        } else if let ask = ChatAsk(event), !turn.asks.isMute {
            turn.printer.finishLine()
            turn.asks.add(ask)
        } else {
            turn.printer.show(event)
        }
        if turn.asks.isMute, ChatAsk(event) != nil { turn.printer.note(Asks.elsewhere) }
        if type == "answered", let id = event["id"]?.text { turn.asks.remove(id) }
        if type == "ended" { turn.end = event["state"]?.text ?? "failed" }
    }

    private func readAnswer(_ turn: inout Turn) throws(ControlError) {
        guard let (id, members) = turn.asks.read(), let session else { return }
        let request: [JSONValue.Member] = [
            .init("op", .string("answer")), .init("session", .string(session)), .init("id", .string(id)),
        ]
        turn.answers.insert(try link.ask(request + members))
    }

    /// What was asked still waits, or an event says why not.
    private func noteRefusal(_ frame: Frame, _ turn: inout Turn) {
        guard frame.header.kind == .error else { return }
        turn.printer.note(ControlConnection.failure(frame.payload).message)
    }

    private func interrupted(_ turn: inout Turn) throws(ControlError) {
        turn.interrupts += 1
        wasInterrupted = true
        guard turn.interrupts == 1, session != nil, turn.number != nil else {
            try link.cancel(turn.request)
            return leave(&turn)
        }
        turn.printer.note("stopping the turn; Ctrl-C again leaves without waiting")
        try abort(turn)
    }

    private func abort(_ turn: Turn) throws(ControlError) {
        guard let session, let number = turn.number else { return }
        _ = try link.ask([
            .init("op", .string("abort")), .init("session", .string(session)), .init("turn", .integer(number)),
        ])
    }

    private func leave(_ turn: inout Turn) {
        turn.interrupts = max(turn.interrupts, 2)
        wasInterrupted = true
        turn.printer.note("left; the turn goes on without you: nexusctl chat --history \(session ?? "")")
    }

    private func explained(_ error: ControlError, _ turn: Turn) -> ControlError {
        guard let session, turn.number != nil else {
            // chat-bridge's own word on it is the last one.
            guard turn.lostBridge || link.connection.isClosed else { return error }
            let hint = error.hint ?? "whether the message was stored is not known; see: nexusctl chat --list"
            return ControlError(error.code, error.message, hint: error.code == .failed ? hint : error.hint)
        }
        return ControlError(
            error.code, "cut off while the agent was answering: \(error.message)",
            hint: "the message is stored, and what arrives is kept: nexusctl chat --history \(session)")
    }

    // 128 random bits: two messages never have the same.
    private static func randomID() -> String {
        let bits = UInt64.random(in: .min ... .max)
        let more = UInt64.random(in: .min ... .max)
        return String(bits, radix: 16) + "-" + String(more, radix: 16)
    }
}
