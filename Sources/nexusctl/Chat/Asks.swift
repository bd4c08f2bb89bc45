import ControlClient
import Glibc
import Wire

/// What the agent waits for in a turn, put to whoever sits at the terminal, one at a time.
struct Asks {
    private var waiting: [ChatAsk] = []
    // Typed, without a newline yet.
    private var typed: [UInt8] = []
    /// Nobody can be asked: the input is no terminal, or has ended, or the output is for a program.
    private(set) var isMute: Bool

    init(json: Bool) { isMute = json || isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1 }

    /// Something is to be typed.
    var isOpen: Bool { !waiting.isEmpty }

    /// Where what waits can be answered, and what comes of it otherwise.
    static let elsewhere =
        "nothing is asked here, without a terminal or with --json: answer it on the page; what nobody answers within [agent] "
        + "answer-timeout (10min, where it is not set) is settled as permission-default says, and a question put aside"

    /// One more.
    mutating func add(_ ask: ChatAsk) {
        waiting.append(ask)
        if waiting.count == 1 { show() }
    }

    /// It was answered, here or elsewhere.
    mutating func remove(_ id: String) {
        let wasShown = waiting.first?.id == id
        waiting.removeAll { $0.id == id }
        if wasShown, isOpen { show() }
    }

    /// Reads what was typed, which does not block when the terminal can be read; the answer to send, once there is one.
    mutating func read() -> (id: String, members: [JSONValue.Member])? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(STDIN_FILENO, &bytes, bytes.count)
        if count < 0, errno == EINTR { return nil }
        guard count > 0, typed.count < PlainLines.byteLimit else {
            isMute = true
            waiting = []
            Output.complain("[nothing can be typed any more; answer it elsewhere]")
            return nil
        }
        typed += bytes[..<count]
        guard isOpen, let end = typed.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let line = String(decoding: typed[..<end], as: UTF8.self)
        typed.removeSubrange(...end)
        switch waiting[0].take(line) {
        case .answer(let members): return (waiting[0].id, members)
        case .more: show()
        case .again(let why):
            Output.complain("[\(why)]")
            show()
        }
        return nil
    }

    private func show() {
        guard let ask = waiting.first else { return }
        for line in ask.lines { Output.complain(Terminal.standardOutput.styled("[\(Terminal.clean(line))]", .bold)) }
    }
}
