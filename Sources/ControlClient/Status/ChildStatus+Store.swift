extension ChildStatus {
    /// That chat-bridge began with an empty store, in its words; nil: it did not, or this is another program.
    public var newStore: String? {
        guard let status, executable?.hasSuffix("/chat-bridge") ?? false else { return nil }
        let parts = status.split(separator: ";").map { $0.drop { $0 == " " } }
        return parts.first { $0.hasPrefix("began anew: ") }.map { "chat-bridge " + $0 }
    }
}
