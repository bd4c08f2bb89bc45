extension ChildStatus {
    /// Why chat-bridge does not serve the page, in its words; nil: it does, or says nothing of it, or this is another program.
    /// It is the last thing of its status.
    public var pageTrouble: String? {
        guard let status, executable?.hasSuffix("/chat-bridge") ?? false else { return nil }
        let mark = "no page: "
        if status.hasPrefix(mark) { return status }
        let parts = status.split(separator: ";", omittingEmptySubsequences: false).map { $0.drop { $0 == " " } }
        guard let first = parts.firstIndex(where: { $0.hasPrefix(mark) }) else { return nil }
        return parts[first...].joined(separator: "; ")
    }
}
