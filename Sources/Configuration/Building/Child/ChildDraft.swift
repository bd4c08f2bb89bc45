import Plan
import SupervisorCore
import Wire

/// What must be known of every child before any of them is built: its number, whether it is a worker and what its ready
/// pattern captures, because others may name these.
struct ChildDraft {
    let id: ChildID
    let name: String
    let reader: SectionReader
    let isWorker: Bool
    let pattern: LinePattern?
    let captures: [String]

    static func all(
        in sections: [Placed<(name: String, table: Table)>], names: TreeNames, report: Report
    ) -> [ChildDraft] {
        sections.compactMap { section in
            guard let id = names.child(section.value.name) else { return nil }
            return ChildDraft(id: id, name: section.value.name, table: section.value.table, report: report)
        }
    }

    private init(id: ChildID, name: String, table: Table, report: Report) {
        self.id = id
        self.name = name
        reader = SectionReader(ChildKeys.section, table, label: "[child.\(name)]", report: report)
        isWorker = reader(ChildKeys.worker)
        pattern = ChildDraft.pattern(reader, report)
        captures = pattern.map(PatternText.captures) ?? []
    }

    private static func pattern(_ reader: SectionReader, _ report: Report) -> LinePattern? {
        guard case .table(let table) = reader(ChildReadyKeys.ready)?.value,
            let node = table[ReadyKeys.logLine.info.name]?.node, case .string(let text) = node.value
        else { return nil }
        do {
            return try PatternText.parse(text)
        } catch {
            report.error(node.position, "'log-line': \(error.words)")
            return nil
        }
    }
}

/// What all children share while they are built.
struct ChildContext {
    let names: TreeNames
    let groups: BuiltGroups
    let log: LogPlan
    /// Whom each child runs as.
    let uids: [ChildID: UInt32]
    let workspaces: Workspaces
    let agent: AgentSettings
    let chat: ChatAddress
    let word: WordSettings
    let tunnel: TunnelSettings
    let places: Places
    let host: any Machine
    let programs: KnownPrograms
    let report: Report
}

/// A child with what the rules between children need.
struct BuiltChild {
    var plan: ChildPlan
    let id: ChildID
    /// Where `[child.NAME]` stands.
    let position: Position
    /// What it waits for.
    var edges: [Edge]
    /// Secrets it names, and where.
    var secrets: [Placed<UInt16>]
    /// `health:NAME` grants, and where.
    var health: [ChildID]
    /// `state-directory`, and where.
    var stateDirectory: Placed<String>?
    /// Its user, for directories.
    var owner: (uid: UInt32, gid: UInt32)
    /// Where to point at for a name of a PID file and an intensity.
    let reader: SectionReader
}

/// One thing a child waits for.
struct Edge {
    enum Kind {
        case requires, after
        /// The order of a one-for-all or rest-for-one group.
        case order(group: String)
        /// Ready by the word of a worker.
        case health
    }
    let kind: Kind
    let to: ChildID
    let position: Position
}
