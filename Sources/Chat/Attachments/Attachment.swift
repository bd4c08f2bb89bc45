import Cryptography
public import Foundation

/// A file that goes with a message: its content is kept once, by its hash, under the name each message gives it.
public struct Attachment: Hashable, Sendable, Codable {
    /// The SHA-256 of its content in hexadecimal.
    public var id: String
    /// For people; no path.
    public var name: String
    /// What it was found to be.
    public var mime: MediaType
    /// Its length.
    public var bytes: Int

    /// Bytes of a name.
    static let nameLimit = 200

    /// A name that is one on every machine: without what stands before the last slash, without control characters, cut.
    public static func name(_ given: String) -> String {
        let last = given.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last.map(String.init) ?? ""
        // Unicode's controls and marks that turn the direction of text are no part of a name.
        let plain = last.unicodeScalars.filter {
            $0.properties.generalCategory != .control && $0.properties.generalCategory != .format
        }
        var name = String(String.UnicodeScalarView(plain)).trimmingCharacters(in: .whitespaces)
        while name.utf8.count > nameLimit { name.removeLast() }
        return name.isEmpty || name.allSatisfy { $0 == "." } ? "file" : name
    }

    /// Whether that is the content that was uploaded, by length and hash; read from its beginning afterwards. Files are small
    /// (`[chat] attachment`), and browsers and the agent keep them.
    public func isWhole(_ handle: FileHandle) throws -> Bool {
        guard try handle.seekToEnd() == UInt64(bytes) else { return false }
        try handle.seek(toOffset: 0)
        let hash = SHA256Hash()
        while let piece = try handle.read(upToCount: 65_536), !piece.isEmpty { hash.add(Array(piece)) }
        try handle.seek(toOffset: 0)
        return hash.finish() == id
    }

    /// True for what an id looks like; nothing else becomes part of a path.
    static func isID(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
    }
}

/// What a client says of an attachment when it sends it.
public struct AttachmentReference: Hashable, Sendable, Codable {
    /// As the end of its upload gave it.
    public var id: String
    /// What the user calls it.
    public var name: String
}

/// How much is taken.
public struct AttachmentLimits: Hashable, Sendable {
    /// Bytes of one file.
    public var file: Int64
    /// Bytes of all that are kept.
    public var total: Int64

    /// 10 MB and 1 GB, unless it is said.
    public init(file: Int64 = 10_000_000, total: Int64 = 1_000_000_000) {
        self.file = file
        self.total = total
    }

    /// What `{chat-keep}` becomes; what it does not say is the default.
    public init?(json: String) {
        struct Form: Decodable {
            var file: Int64?
            var total: Int64?

            private enum CodingKeys: String, CodingKey {
                case file = "attachment-bytes"
                case total = "attachments-bytes"
            }
        }
        guard let form = try? JSONDecoder().decode(Form.self, from: Data(json.utf8)) else { return nil }
        let standard = AttachmentLimits()
        self.init(file: form.file ?? standard.file, total: form.total ?? standard.total)
    }
}
