import ControlClient

/// A QR code in half blocks: two rows of squares a line.
struct QRPicture {
    /// `1` is dark.
    let rows: [String]
    /// Light squares around it that readers need (ISO/IEC 18004: four). Half of them do for most, and a code of which the upper
    /// part has scrolled away does for none.
    private static let quiet = 4

    /// Dark squares are the terminal's black where colours are known, else the light ones are drawn, as most terminals are
    /// dark.
    /// - Parameter lines: of the terminal, one of which is the prompt's.
    func text(for terminal: Terminal, lines: Int? = Terminal.standardOutput.columns.map { _ in Terminal.size.rows })
        -> String
    {
        guard let width = rows.first?.utf8.count else { return "" }
        let isLow = lines.map { (rows.count + 2 * Self.quiet + 1) / 2 >= $0 } ?? false
        let quiet = isLow ? Self.quiet / 2 : Self.quiet
        let edge = [UInt8](repeating: UInt8(ascii: "0"), count: quiet)
        let blank = [UInt8](repeating: UInt8(ascii: "0"), count: width + 2 * quiet)
        var field = [[UInt8]](repeating: blank, count: quiet)
        field += rows.map { edge + Array($0.utf8) + edge }
        field += [[UInt8]](repeating: blank, count: quiet)
        if !field.count.isMultiple(of: 2) { field.append(blank) }
        let lines = stride(from: 0, to: field.count, by: 2).map { row in
            String(zip(field[row], field[row + 1]).map { Self.half(isLight($0), isLight($1)) })
        }
        // White on black, whatever the terminal's own colours are.
        let (on, off) = terminal.colour ? ("\u{1B}[97;40m", "\u{1B}[0m") : ("", "")
        return lines.map { on + $0 + off }.joined(separator: "\n")
    }

    private func isLight(_ square: UInt8) -> Bool { square == UInt8(ascii: "0") }

    private static func half(_ upper: Bool, _ lower: Bool) -> Character {
        switch (upper, lower) {
        case (true, true): "█"
        case (true, false): "▀"
        case (false, true): "▄"
        case (false, false): " "
        }
    }
}
