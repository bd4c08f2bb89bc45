/// A file that goes with a message.
public struct AttachedFile: Hashable, Sendable, Codable {
    /// For people.
    public var name: String
    /// Its media type.
    public var mime: String
    /// Its length.
    public var bytes: Int

    /// All fields.
    public init(name: String, mime: String, bytes: Int) {
        self.name = name
        self.mime = mime
        self.bytes = bytes
    }

    /// Files of one message.
    public static let limit = 8
    /// Bytes of all files of one message: opencode gets them in one request.
    public static let bytesLimit = 20_000_000
}
