/// Why nexusd did not start: words for the caller and the exit status that goes with them.
public struct StartError: Error, Hashable, Sendable {
    /// The exit status: 1 internal failure, 2 usage or configuration refused, 3 another instance runs.
    public let status: Int32
    /// What went wrong and what to do; lines end in no newline.
    public let message: String

    /// Both.
    public init(status: Int32, message: String) {
        self.status = status
        self.message = message
    }

    /// The command line is wrong.
    static func usage(_ problem: String) -> StartError {
        StartError(status: 2, message: "nexusd: \(problem)\n\(Options.usage)")
    }

    /// The configuration, or something it names, is refused.
    static func refused(_ problem: String) -> StartError {
        StartError(status: 2, message: "nexusd: \(problem)")
    }

    /// The machine refuses something nexusd cannot do without.
    static func failed(_ problem: String) -> StartError {
        StartError(status: 1, message: "nexusd: \(problem)")
    }
}
