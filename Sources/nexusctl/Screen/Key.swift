/// A key of the live screen.
enum Key: Hashable {
    case quit, suspend, redraw
    case up, down, pageUp, pageDown, first, last

    /// The keys in what one read(2) of the terminal gave; what means nothing here is passed over.
    static func keys(in bytes: some Collection<UInt8>) -> [Key] {
        var keys: [Key] = []
        var rest = Array(bytes)[...]
        while let byte = rest.popFirst() {
            if byte == 0x1B, rest.first == UInt8(ascii: "[") || rest.first == UInt8(ascii: "O") {
                rest = rest.dropFirst()
                let end = rest.firstIndex { (0x40...0x7E).contains($0) } ?? rest.endIndex
                if let key = sequence(rest.prefix(through: min(end, rest.endIndex - 1))) { keys.append(key) }
                rest = end < rest.endIndex ? rest[(end + 1)...] : []
            } else if let key = plain(byte) {
                keys.append(key)
            }
        }
        return keys
    }

    private static func plain(_ byte: UInt8) -> Key? {
        switch byte {
        // Ctrl-C, Ctrl-D, Escape alone.
        case UInt8(ascii: "q"), UInt8(ascii: "Q"), 0x03, 0x04, 0x1B: .quit
        case 0x1A: .suspend
        case 0x0C: .redraw
        case UInt8(ascii: "k"): .up
        case UInt8(ascii: "j"): .down
        case UInt8(ascii: " "): .pageDown
        case UInt8(ascii: "b"): .pageUp
        case UInt8(ascii: "g"): .first
        case UInt8(ascii: "G"): .last
        case _: nil
        }
    }

    // What xterm and its like send (CSI and SS3 sequences).
    private static func sequence(_ bytes: ArraySlice<UInt8>) -> Key? {
        switch String(decoding: bytes, as: UTF8.self) {
        case "A": .up
        case "B": .down
        case "5~": .pageUp
        case "6~": .pageDown
        case "H", "1~": .first
        case "F", "4~": .last
        case _: nil
        }
    }
}
