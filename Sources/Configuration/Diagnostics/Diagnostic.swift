/// One thing that is wrong, where, and what to do about it.
public struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
    /// The file as it was named by the caller.
    public let file: String
    /// The key or value itself; nil: the file could not be read at all.
    public let position: Position?
    /// What is wrong and what to do.
    public let message: String

    /// `Supervisor.toml:12:5: error: unknown key 'comand' …`, the form every editor can jump to.
    public var description: String {
        guard let position else { return "\(file): error: \(message)" }
        return "\(file):\(position.line):\(position.column): error: \(message)"
    }
}

/// A refused configuration: all that is wrong with it, in the order of the file.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// At most `Report.limit`.
    public let diagnostics: [Diagnostic]
    /// How many more there are.
    public let omitted: Int

    /// One line each, without a newline at the end.
    public var description: String {
        var lines = diagnostics.map(\.description)
        if omitted > 0 { lines.append("… and \(omitted) more") }
        return lines.joined(separator: "\n")
    }
}
