public import Plan

/// Where things are; all absolute.
public struct Places: Sendable {
    /// Supervisor.toml.
    public var config: String
    /// How diagnostics call it: as the caller named it.
    public var name: String
    /// The state directory.
    public var state: String
    /// The runtime directory.
    public var runtime: String
    /// Where bare program names are looked up first: nexusd's own directory.
    public var bin: String

    /// All of them.
    public init(config: String, name: String? = nil, state: String, runtime: String, bin: String) {
        self.config = config
        self.name = name ?? config
        self.state = state
        self.runtime = runtime
        self.bin = bin
    }

    /// Where the accepted copy of a program lies: by a link, so that another version is no other plan.
    func accepted(_ program: String) -> String { "\(state)/programs/\(program)/current" }

    /// The directory of the file, from which `./` counts.
    var configDirectory: String {
        let parts = config.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        return parts.isEmpty ? "." : parts.count == 1 ? "/" : parts.joined(separator: "/")
    }
}

/// A directory that a child needs before it can be spawned. nexusd's loop touches no disk, so `nexus-config plan` makes
/// it when the plan is accepted.
public struct NeededDirectory: Hashable, Sendable {
    /// Absolute.
    public var path: String
    /// uid.
    public var owner: UInt32
    /// gid.
    public var group: UInt32
    /// Permission bits.
    public var mode: UInt32
    /// One that exists already keeps its owner and mode: it was given by the caller.
    public var isGiven = false
}

/// An accepted file.
public struct Configured: Sendable {
    /// The plan, which keeps its own rules.
    public var plan: Plan
    /// In the order in which they are made: parents first.
    public var directories: [NeededDirectory]
    /// Of this moment, and none of the plan's notes, which are kept.
    public var passing: [Passing]
    /// The plan in bytes, as it was read; empty until it is known to keep its rules.
    public var encoded: [UInt8] = []
}

/// What is so when the file is read, and may be otherwise a moment later without another file.
public struct Passing: Hashable, Sendable {
    /// One sentence, with its place in the file.
    public var words: String
    /// Something in the tree needs it as things are written; otherwise it is a word for `check` alone.
    public var matters: Bool
}
