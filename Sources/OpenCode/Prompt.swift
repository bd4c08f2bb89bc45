import FoundationEssentials

/// A message for the agent.
public struct Prompt: Hashable, Sendable {
    /// What the user wrote.
    public var text: String
    /// What goes with it.
    public var files: [PromptFile]

    /// Both.
    public init(text: String, files: [PromptFile] = []) {
        self.text = text
        self.files = files
    }
}

/// A file with its content.
public struct PromptFile: Hashable, Sendable {
    /// For people.
    public var name: String
    /// Its media type.
    public var mime: String
    /// All of it.
    public var content: [UInt8]

    /// All fields.
    public init(name: String, mime: String, content: [UInt8]) {
        self.name = name
        self.mime = mime
        self.content = content
    }

    /// The content as both lines take it: opencode runs as another user and may not read our files (RFC 2397).
    var dataURL: String { "data:\(mime);base64,\(Data(content).base64EncodedString())" }
}
