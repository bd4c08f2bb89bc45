import ControlClient
import Glibc

/// Questions at a terminal, or answers from a pipe.
struct Questions {
    private var lines = PlainLines()

    /// Whether another answer may be better: from a pipe the next line is the answer to another question.
    var canAskAgain: Bool { isatty(STDIN_FILENO) == 1 }

    private static func isBlank(_ character: Character) -> Bool { [" ", "\t", "\r"].contains(character) }

    /// The answer without blanks around it; nil: the person left.
    mutating func ask(_ question: String, _ interrupts: borrowing Interrupts) throws(ControlError) -> String? {
        Output.write(question)
        guard let line = try lines.next(interrupts) else {
            Output.write("\n")
            return nil
        }
        if !canAskAgain { Output.write(Terminal.clean(line) + "\n") }
        return String(
            line.trimmingPrefix(while: Self.isBlank).reversed().drop(while: Self.isBlank).reversed())
    }
}
