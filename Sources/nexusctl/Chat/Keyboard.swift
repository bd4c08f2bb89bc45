import ControlClient
import Glibc

/// Lines that a person edits at a terminal.
final class Keyboard {
    /// Longest line in bytes.
    static let byteLimit = PlainLines.byteLimit
    /// An escape with nothing behind it for so long is the Escape key.
    private static let sequenceMilliseconds: Int32 = 100

    private var editor = LineEditor(byteLimit: Keyboard.byteLimit)
    private var reader = KeyReader(pasteLimit: Keyboard.byteLimit)
    private var view = LineView(prompt: "> ")
    // Typed ahead: keys that came in one read with the end of a line.
    private var keys: [Keystroke] = []

    /// Nil where lines cannot be edited: no terminal on either side, or one that only prints.
    init?() {
        let kind = getenv("TERM").map { String(cString: $0) } ?? ""
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1, !kind.isEmpty, kind != "dumb" else { return nil }
    }

    /// The next line; nil when the person leaves: by Ctrl-D, or by Ctrl-C on an empty line. Lines that were typed ahead come
    /// one by one; with `isAskedAgain` they stand in the line again, and are sent by nobody but who looks at them.
    func line(_ interrupts: borrowing Interrupts, isAskedAgain: Bool = false) -> String? {
        var isAskedAgain = isAskedAgain
        while true {
            guard let mode = RawMode() else { return nil }
            if isAskedAgain { takeBack() }
            isAskedAgain = false
            switch edit(mode.leaving, interrupts) {
            case .entered(let text): return text
            case .ended: return nil
            case .mustLeave: break
            }
        }
    }

    private func takeBack() {
        var entry = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        while poll(&entry, 1, 0) > 0, fill() {}
        var text = ""
        for key in keys {
            switch key {
            case .character(let character): text.append(character)
            case .paste(let pasted): text += pasted
            case .newline, .enter: text += "\n"
            case _: break
            }
        }
        keys = []
        while text.last == "\n" { text.removeLast() }
        _ = take(.paste(text))
    }

    private enum Outcome {
        case entered(String)
        case ended
        /// A signal waits that ends or stops this process.
        case mustLeave
    }

    private func edit(_ leaving: Int32, _ interrupts: borrowing Interrupts) -> Outcome {
        while true {
            while !keys.isEmpty {
                if let outcome = take(keys.removeFirst()) { return outcome }
            }
            draw()
            let pause = reader.isInSequence ? Self.sequenceMilliseconds : nil
            switch interrupts.wait(orReadable: [leaving, STDIN_FILENO], milliseconds: pause) {
            case .timeout: reader.giveUpSequence()
            case .interrupt:
                finishLine("^C")
                if !editor.clear() { return .ended }
            case .ready(leaving):
                finishLine()
                return .mustLeave
            case .ready: if !fill() { return .ended }
            }
        }
    }

    private func take(_ key: Keystroke) -> Outcome? {
        let before = editor.characters
        switch editor.take(key) {
        case .editing: break
        case .redraw: Output.write(view.emptied())
        case .full:
            finishLine()
            Output.complain("[a message has at most \(Self.byteLimit) bytes: nothing was added]")
        case .entered(let text):
            finishLine(before)
            return .entered(text)
        case .ended:
            finishLine()
            return .ended
        }
        return nil
    }

    /// False at the end of the terminal.
    private func fill() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(STDIN_FILENO, &bytes, bytes.count)
        if count < 0 { return errno == EINTR }
        keys += reader.read(bytes[..<max(count, 0)])
        return count > 0
    }

    private func draw() {
        let size = Terminal.size
        Output.write(
            view.drawn(editor.characters, cursor: editor.cursor, columns: size.columns, rows: size.rows))
    }

    private func finishLine(_ mark: String = "") { finishLine(editor.characters + Array(mark)) }

    private func finishLine(_ characters: [Character]) {
        let size = Terminal.size
        Output.write(view.finished(characters, columns: size.columns, rows: size.rows))
    }
}
