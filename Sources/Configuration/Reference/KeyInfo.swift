/// What a person should know of a key; the reference in docs/configuration.md is printed from this.
public struct KeyInfo: Sendable {
    /// As it is written.
    public let name: String
    /// Its type in words.
    public let type: String
    /// The form of its value, for editors.
    let shape: KeyShape
    /// Its default as it would be written; empty: it must be given, or nothing is set.
    public let initial: String
    /// Values that are taken; empty: all of the type.
    public let range: String
    /// One sentence.
    public let summary: String
}

/// A table with its keys.
public struct SectionInfo: Sendable {
    /// `[child.NAME]`, or `delay` for a table inside another.
    public let title: String
    /// One sentence.
    public let summary: String
    /// In the order of the reference.
    public let keys: [KeyInfo]
}
