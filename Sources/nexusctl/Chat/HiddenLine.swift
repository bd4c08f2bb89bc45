import ControlClient
import Glibc

/// A line typed at a terminal of which nothing is shown.
struct HiddenLine {
    /// Longest line in bytes.
    private static let byteLimit = 1024

    private var typed: [UInt8] = []

    /// Asks for one; nil when the person leaves, by Ctrl-C or Ctrl-D.
    static func read(_ prompt: String, _ interrupts: borrowing Interrupts) -> String? {
        var line = HiddenLine()
        Output.write(prompt)
        defer { Output.write("\n") }
        // A signal that ends or stops this process is delivered when the terminal is as it was; then it goes on, if it does.
        while let mode = RawMode() {
            switch line.fill(mode.leaving, interrupts) {
            case .entered: return String(decoding: line.typed, as: UTF8.self)
            case .ended: return nil
            case .mustLeave: continue
            }
        }
        return nil
    }

    private enum Outcome {
        case entered, ended, mustLeave
    }

    private mutating func fill(_ leaving: Int32, _ interrupts: borrowing Interrupts) -> Outcome {
        while true {
            switch interrupts.wait(orReadable: [leaving, STDIN_FILENO]) {
            case .interrupt: return .ended
            case .ready(leaving): return .mustLeave
            case .timeout: continue
            case .ready:
                var byte: UInt8 = 0
                let count = Glibc.read(STDIN_FILENO, &byte, 1)
                if count < 0, errno == EINTR { continue }
                guard count == 1 else { return .ended }
                if let outcome = take(byte) { return outcome }
            }
        }
    }

    private mutating func take(_ byte: UInt8) -> Outcome? {
        switch byte {
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"): return .entered
        // Ctrl-D; Ctrl-U; Backspace as the two kinds of terminals send it: a whole scalar goes.
        case 0x04 where typed.isEmpty: return .ended
        case 0x15: typed = []
        case 0x08, 0x7F:
            while let last = typed.popLast(), last & 0xC0 == 0x80 {}
        case 0x20...: if typed.count < Self.byteLimit { typed.append(byte) }
        case _: break
        }
        return nil
    }
}
