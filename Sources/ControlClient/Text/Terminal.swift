import Glibc
import Wire

/// Where the output goes, as far as it changes what is written.
public struct Terminal: Hashable, Sendable {
    /// Colours, by https://no-color.org: only on a terminal, and not when `NO_COLOR` is set to anything; `--color` (or
    /// NEXUS_COLOR) says otherwise.
    public var colour: Bool
    /// Columns of the terminal; nil for files and pipes, where lines are never cut.
    public var columns: Int?

    /// Both.
    public init(colour: Bool, columns: Int?) {
        self.colour = colour
        self.columns = columns
    }

    /// Neither colour nor cutting: files and pipes.
    public static let plain = Terminal(colour: false, columns: nil)

    /// What standard output is.
    public static var standardOutput: Terminal {
        let choice = getenv("NEXUS_COLOR").map { String(cString: $0) } ?? "auto"
        guard isatty(STDOUT_FILENO) == 1 else { return Terminal(colour: choice == "always", columns: nil) }
        let quiet = choice == "never" || (choice != "always" && (getenv("NO_COLOR").map { $0.pointee != 0 } ?? false))
        let dumb = choice != "always" && (getenv("TERM").map { String(cString: $0) == "dumb" } ?? true)
        return Terminal(colour: !quiet && !dumb, columns: width(of: STDOUT_FILENO))
    }

    /// What standard error is: words in no colour.
    public static var standardError: Terminal {
        Terminal(colour: false, columns: isatty(STDERR_FILENO) == 1 ? width(of: STDERR_FILENO) : nil)
    }

    /// Columns of a terminal; a serial line does not know its size.
    private static func width(of descriptor: Int32) -> Int {
        var size = winsize()
        return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    /// The size of the terminal that standard output is; 80 by 24 where nobody knows it.
    public static var size: (columns: Int, rows: Int) {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// The text in that style, or as it is where there is no colour.
    public func styled(_ text: String, _ style: Style) -> String {
        colour && style != .plain ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// SGR parameters of ECMA-48, 8.3.117.
    public enum Style: String, Hashable, Sendable {
        case plain = "0"
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
    }

    /// Text of others as it may be shown: whole escape sequences are left out, control characters and the marks that turn the
    /// direction of writing become `·`, so that no child can draw on the owner's terminal.
    public static func clean(_ text: String, keepNewlines: Bool = false) -> String {
        guard text.unicodeScalars.contains(where: ControlText.isUnsafe) else { return text }
        var cleaned = String.UnicodeScalarView()
        for scalar in EscapeSequence.removed(from: text).unicodeScalars {
            let kept = !ControlText.isUnsafe(scalar) || (keepNewlines && (scalar == "\n" || scalar == "\t"))
            cleaned.append(kept ? scalar : "·")
        }
        return String(cleaned)
    }
}
