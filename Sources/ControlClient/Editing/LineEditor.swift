/// A line being written: keys in, text and cursor out. Remembers the lines of this sitting.
public struct LineEditor: Sendable {
    /// What a key came to.
    public enum Outcome: Hashable, Sendable {
        /// Go on; the text or the cursor may have changed.
        case editing
        /// The line is done; the editor is empty again.
        case entered(String)
        /// The screen is to be emptied first.
        case redraw
        /// Nobody wants to write more.
        case ended
        /// It does not fit; nothing changed.
        case full
    }

    /// Bytes of UTF-8 that a line may have.
    public let byteLimit: Int
    /// Lines that are remembered.
    public static let historyLimit = 1000

    /// The text; newlines come from pastes and Alt-Return.
    public private(set) var characters: [Character] = []
    /// The cursor stands before this character; 0 to `characters.count`.
    public private(set) var cursor = 0
    private var history: [String] = []
    /// The remembered line that is shown; nil: the one being written.
    private var shown: Int?
    private var written: [Character] = []

    /// Empty.
    public init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// The text.
    public var text: String { String(characters) }

    /// Ctrl-C: the line is dropped. False when there was none.
    public mutating func clear() -> Bool {
        defer { reset() }
        return !characters.isEmpty
    }

    /// One key.
    public mutating func take(_ key: Keystroke) -> Outcome {
        switch key {
        case .character(let character): return insert([character])
        case .paste(let text): return insert(Array(text))
        case .newline: return insert(["\n"])
        case .enter: return enter()
        case .endOfInput:
            if characters.isEmpty { return .ended }
            erase(cursor..<min(cursor + 1, characters.count))
        case .redraw: return .redraw
        case .tooLong: return .full
        case .left: cursor = max(cursor - 1, 0)
        case .right: cursor = min(cursor + 1, characters.count)
        case .home: cursor = 0
        case .end: cursor = characters.count
        case .wordLeft: cursor = startOfWord
        case .wordRight: cursor = endOfWord
        case .up: recall(-1)
        case .down: recall(1)
        case .backspace: erase(max(cursor - 1, 0)..<cursor)
        case .delete: erase(cursor..<min(cursor + 1, characters.count))
        case .eraseToEnd: erase(cursor..<characters.count)
        case .eraseToStart: erase(0..<cursor)
        case .eraseWord: erase(startOfWord..<cursor)
        }
        return .editing
    }

    /// A combining mark joins the character before it, so the cursor is found by what stands behind it.
    private mutating func insert(_ new: [Character]) -> Outcome {
        let before = String(characters[..<cursor]) + String(new)
        let after = String(characters[cursor...])
        guard before.utf8.count + after.utf8.count <= byteLimit else { return .full }
        characters = Array(before + after)
        cursor = min(Array(before).count, characters.count)
        return .editing
    }

    private mutating func erase(_ range: Range<Int>) {
        characters.removeSubrange(range)
        cursor = range.lowerBound
    }

    private mutating func enter() -> Outcome {
        let line = text
        reset()
        if !line.allSatisfy(\.isWhitespace), history.last != line { history.append(line) }
        if history.count > Self.historyLimit { history.removeFirst() }
        return .entered(line)
    }

    private mutating func reset() {
        characters = []
        cursor = 0
        shown = nil
        written = []
    }

    /// An earlier (-1) or later (1) line; behind the latest stands the one being written.
    private mutating func recall(_ step: Int) {
        let wanted = (shown ?? history.count) + step
        guard (0...history.count).contains(wanted) else { return }
        if shown == nil { written = characters }
        shown = wanted == history.count ? nil : wanted
        characters = shown.map { Array(history[$0]) } ?? written
        cursor = characters.count
    }

    private var startOfWord: Int {
        var place = cursor
        while place > 0, characters[place - 1].isWhitespace { place -= 1 }
        while place > 0, !characters[place - 1].isWhitespace { place -= 1 }
        return place
    }

    private var endOfWord: Int {
        var place = cursor
        while place < characters.count, characters[place].isWhitespace { place += 1 }
        while place < characters.count, !characters[place].isWhitespace { place += 1 }
        return place
    }
}
