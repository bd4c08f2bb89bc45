public import SupervisorCore
import Wire

/// One line as it was captured.
public struct LogEntry: Hashable, Sendable {
    /// When log-writer read it.
    public var stamp: WallStamp
    /// The child whose file it stands in; `nexusd` for the supervisor's own events.
    public var child: String
    /// The run that said it, or that it is about.
    public var run: RunID?
    /// Who said it.
    public var source: LogSource
    /// Its level.
    public var level: LogLevel
    /// The line's bytes, as the child wrote them: any bytes but a newline.
    public var bytes: [UInt8]
    /// True when the line goes on in the next entry of the same run and source.
    public var isPartial: Bool
    /// True for what a reader is given of a line of which it has seen the beginning already.
    public var isContinuation = false
    /// True for a piece of a line that is longer than what readers put together (256 KiB).
    public var isCut = false

    /// The line as text; what is not UTF-8 becomes U+FFFD. For JSON and the like: it may hold control characters.
    public var message: String { String(decoding: words, as: UTF8.self) }

    /// The line for a terminal: whole escape sequences are left out, control characters other than TAB are shown as their
    /// pictures (U+2400…), so that a log can neither clear nor recolour the screen it is read on.
    public var text: String {
        var text = String.UnicodeScalarView()
        for scalar in EscapeSequence.removed(from: message).unicodeScalars {
            text.append(scalar.isHarmless ? scalar : scalar.picture)
        }
        return String(text)
    }

    /// The facts of an event of nexusd as one JSON object; nil for other entries.
    public var fields: String? {
        guard let tab = tailStart else { return nil }
        return String(decoding: bytes[(tab + 1)...], as: UTF8.self)
    }

    /// Reads one line of a file, without its newline; nil when it is no entry (a file damaged by a full disk or by hand).
    init?(line: UnsafeRawBufferPointer, child: String) {
        // STAMP, a space, and at least `0-0 O6- `.
        guard line.count > WallStamp.byteCount + 1, line[WallStamp.byteCount] == UInt8(ascii: " "),
            let stamp = WallStamp(line[..<WallStamp.byteCount])
        else { return nil }
        let rest = line[(WallStamp.byteCount + 1)...]
        guard let space = rest.firstIndex(of: UInt8(ascii: " ")), line.count >= space + 5,
            let run = RunID(String(decoding: rest[..<space], as: UTF8.self)),
            let source = LogSource(letter: line[space + 1]), let level = LogLevel(rawValue: line[space + 2] &- 0x30),
            line[space + 3] == EntryFormat.partial || line[space + 3] == EntryFormat.whole,
            line[space + 4] == UInt8(ascii: " ")
        else { return nil }
        self.stamp = stamp
        self.child = child
        self.run = run == EntryFormat.noRun ? nil : run
        self.source = source
        self.level = level
        self.bytes = Array(line[(space + 5)...])
        self.isPartial = line[space + 3] == EntryFormat.partial
    }

    /// The words, without the facts that stand behind an event.
    private var words: ArraySlice<UInt8> { bytes[..<(tailStart ?? bytes.count)] }

    // JSON writes a TAB as `\t`, so the last one in an event is the one before its facts.
    private var tailStart: Int? {
        source == .supervisor ? bytes.lastIndex(of: UInt8(ascii: "\t")) : nil
    }
}

extension Unicode.Scalar {
    /// Nothing that a terminal acts on: neither C0 (but TAB) nor DEL nor C1, of which U+009B alone begins a sequence.
    /// And no mark that turns the direction of writing, with which a line could show something else than it says.
    fileprivate var isHarmless: Bool {
        switch value {
        case 0x09: true
        case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069: false
        case _: true
        }
    }

    /// What is shown in place of a control character.
    fileprivate var picture: Unicode.Scalar {
        switch value {
        case 0..<0x20: Unicode.Scalar(0x2400 + value) ?? "\u{FFFD}"
        case 0x7F: "\u{2421}"
        case _: "\u{FFFD}"
        }
    }
}
