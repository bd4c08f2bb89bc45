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
    /// What holds between them, as far as it can be said without reading their values.
    var rules: [SectionRule] = []
}

/// What holds between keys of one table, for editors; nexus-config says more of it.
enum SectionRule: Sendable {
    /// Exactly one of these is given.
    case one(of: [String])
    /// The key is given only beside one of these.
    case beside(String, oneOf: [String])
    /// The key is given beside none of these.
    case without(String, [String])
    /// The key is given only where this flag is true.
    case onlyWith(String, flag: String)
    /// Where the key has this value, these are given too.
    case needs(String, value: String, [String])
}
