/// How long a message may be, counted as chat-bridge counts it (docs/chat.md).
public enum MessageText {
    /// Most bytes of one.
    public static let byteLimit = 60_000

    /// Bytes of it as JSON writes it, without the quotes around it.
    public static func size(of text: String) -> Int {
        text.utf8.reduce(0) { size, byte in
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0x08, 0x09, 0x0A, 0x0C, 0x0D: size + 2
            case ..<0x20: size + 6
            case _: size + 1
            }
        }
    }
}
