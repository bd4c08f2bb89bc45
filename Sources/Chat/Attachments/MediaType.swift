/// What a file is, found in its content; a closed set, and what is not in it is not taken.
public enum MediaType: String, Hashable, Sendable, Codable {
    case png = "image/png"
    case jpeg = "image/jpeg"
    case gif = "image/gif"
    case webp = "image/webp"
    case pdf = "application/pdf"
    /// UTF-8 without control characters that no text has: source, Markdown, JSON, SVG, whatever.
    case text = "text/plain"

    /// Bytes of the beginning that tell what is no text.
    static let headBytes = 16

    /// By its first bytes (the formats' own marks); text is what the rest has to show.
    init?(head: [UInt8]) {
        func begins(_ mark: [UInt8], at place: Int = 0) -> Bool { head.dropFirst(place).starts(with: mark) }
        if begins([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if begins([0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if begins(Array("GIF87a".utf8)) || begins(Array("GIF89a".utf8)) {
            self = .gif
        } else if begins(Array("RIFF".utf8)), begins(Array("WEBP".utf8), at: 8) {
            self = .webp
        } else if begins(Array("%PDF-".utf8)) {
            self = .pdf
        } else {
            return nil
        }
    }

    /// Browsers draw these themselves without running anything.
    public var isImage: Bool {
        switch self {
        case .png, .jpeg, .gif, .webp: true
        case .pdf, .text: false
        }
    }

    /// True for whole content that is text.
    static func isText(_ content: [UInt8]) -> Bool {
        !content.contains { $0 < 0x09 || $0 == 0x7F || (0x0E..<0x20).contains($0) && $0 != 0x1B }
            && String(validating: content, as: UTF8.self) != nil
    }
}
