/// What a person did at the keyboard, as far as a line editor cares.
public enum Keystroke: Hashable, Sendable {
    /// A character, with what combines with it.
    case character(Character)
    /// A pasted text, newlines and all (bracketed paste).
    case paste(String)
    /// Return: the line is done.
    case enter
    /// Alt-Return: a newline within the message.
    case newline
    case left, right, up, down
    case home, end
    case wordLeft, wordRight
    case backspace, delete
    /// Ctrl-K, Ctrl-U, Ctrl-W: to the end, to the start, the word before the cursor.
    case eraseToEnd, eraseToStart, eraseWord
    /// Ctrl-L: an empty screen with this line at its top.
    case redraw
    /// Ctrl-D: the end on an empty line, else `delete`.
    case endOfInput
    /// A paste above the limit; none of it was kept.
    case tooLong
}
