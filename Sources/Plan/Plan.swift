public import SupervisorCore

/// The validated tree as plain values: what nexus-config makes of Supervisor.toml and nexusd carries out.
/// `ChildID(rawValue: n)` is `children[n - 1]`; the log-writer, always the first, is added by nexus-config.
public struct Plan: Hashable, Sendable {
    /// Settings of nexusd itself.
    public var supervisor: SupervisorPlan
    /// Groups in the order of the file.
    public var groups: [GroupPlan]
    /// Children in the order of the file, after log-writer.
    public var children: [ChildPlan]
    /// Secrets by index.
    public var secrets: [SecretPlan]
    /// Things worth a word that are no error ("backup is off and not installed").
    public var notes: [String]

    /// The whole plan.
    public init(
        supervisor: SupervisorPlan = SupervisorPlan(), groups: [GroupPlan] = [], children: [ChildPlan] = [],
        secrets: [SecretPlan] = [], notes: [String] = []
    ) {
        self.supervisor = supervisor
        self.groups = groups
        self.children = children
        self.secrets = secrets
        self.notes = notes
    }

    /// What the core sees of it.
    public var tree: Tree {
        Tree(
            children: children.map(\.policy), groups: groups.map(\.policy),
            logWriter: children.firstIndex { $0.role == .logWriter }.map { ChildID(rawValue: UInt16($0 + 1)) },
            choices: choices)
    }

    /// nexus-probe, where a child has an HTTP probe.
    public var prober: ChildID? {
        children.firstIndex { $0.role == .prober }.map { ChildID(rawValue: UInt16($0 + 1)) }
    }

    /// Choices that are recorded.
    public var choices: [ChildID: Choice] {
        var choices: [ChildID: Choice] = [:]
        // log-writer is no matter of choice; earlier versions recorded one.
        for (index, child) in children.enumerated() where child.role != .logWriter {
            choices[ChildID(rawValue: UInt16(index + 1))] = child.choice
        }
        return choices
    }

    /// The plan of a child.
    public subscript(child: ChildID) -> ChildPlan { children[Int(child.rawValue) - 1] }

    /// The child with this name.
    public func child(named name: String) -> ChildID? {
        children.firstIndex { $0.name == name }.map { ChildID(rawValue: UInt16($0 + 1)) }
    }

    /// The group with this name.
    public func group(named name: String) -> GroupID? {
        groups.firstIndex { $0.name == name }.map { GroupID(rawValue: UInt16($0)) }
    }
}

/// `[supervisor]`.
public struct SupervisorPlan: Hashable, Sendable {
    /// Uids that may use the read verbs of the control socket, beside root and nexusd's own.
    public var readUids: [UInt32]
    /// Gids that may.
    public var readGids: [UInt32]
    /// Uids that may use the control verbs (start, stop, …; requests to workers).
    public var controlUids: [UInt32]
    /// Gids that may.
    public var controlGids: [UInt32]
    /// True when at least one child runs under a uid of its own; false: `status` says that the uid wall is off.
    public var uidWall: Bool

    /// Only nexusd's own uid and root.
    public init(
        readUids: [UInt32] = [], readGids: [UInt32] = [], controlUids: [UInt32] = [], controlGids: [UInt32] = [],
        uidWall: Bool = false
    ) {
        self.readUids = readUids
        self.readGids = readGids
        self.controlUids = controlUids
        self.controlGids = controlGids
        self.uidWall = uidWall
    }
}

/// `[group.NAME]`.
public struct GroupPlan: Hashable, Sendable {
    /// Its name.
    public var name: String
    /// What the core needs.
    public var policy: GroupPolicy

    /// Both.
    public init(name: String, policy: GroupPolicy) {
        self.name = name
        self.policy = policy
    }
}

/// `[secret.NAME]`.
public struct SecretPlan: Hashable, Sendable {
    /// Its name; the file's name in `$CREDENTIALS_DIRECTORY`.
    public var name: String
    /// Where its value comes from.
    public var source: Source

    /// Sources of a secret.
    public enum Source: Hashable, Sendable {
        /// Read from this absolute path at each spawn; at most 64 KiB, one trailing newline is dropped.
        case file(String)
        /// A systemd credential given to nexusd (`$CREDENTIALS_DIRECTORY/NAME`).
        case credential(String)
        /// This many random bytes (getrandom), as lower-case hexadecimal; made anew when its group starts from nothing.
        case generated(bytes: UInt16)
    }

    /// Both.
    public init(name: String, source: Source) {
        self.name = name
        self.source = source
    }
}
