import CQREncode

/// A text as the squares of a QR code, by libqrencode.
public enum QRCode {
    /// A row each, `1` is dark; empty when the text is too long for one. Without the quiet zone around it.
    public static func rows(of text: String) -> [String] {
        // Version 0: the smallest that holds it. Level M survives a dirty screen and keeps a link at about 33 squares.
        guard let code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M) else { return [] }
        defer { QRcode_free(code) }
        let width = Int(code.pointee.width)
        guard let squares = code.pointee.data else { return [] }
        return (0..<width).map { row in
            // Bit 0 of each byte is the square (qrencode.h).
            String((0..<width).map { squares[row * width + $0] & 1 == 1 ? "1" : "0" })
        }
    }
}
