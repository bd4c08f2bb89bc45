public import SupervisorCore

/// What is different between two plans of the same numbers, in the order of the file; what was removed comes last.
public struct PlanDiff: Hashable, Sendable {
    /// Children that are not the same.
    public var children: [ChildDifference] = []
    /// Groups that are not the same.
    public var groups: [GroupDifference] = []
    /// Lists of `[supervisor]` that are not the same, by their keys.
    public var supervisor: [String] = []
    /// Children that are stopped and started again because they require one that is, by way of others too; in the order of
    /// the file.
    public var dependents: [ChildID] = []
    /// Children of the new plan that are the same and keep their runs, log-writer among them.
    public var unchanged = 0

    /// True when nothing is different.
    public var isEmpty: Bool { children.isEmpty && groups.isEmpty && supervisor.isEmpty }

    /// One child that is not the same.
    public struct ChildDifference: Hashable, Sendable {
        /// Its number in both plans.
        public var id: ChildID
        /// What happens to it.
        public var kind: Kind
        /// Its settings that are different; none for one that was added or removed.
        public var settings: [SettingChange]
    }

    /// What happens to a child that is not the same.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// New, or back.
        case added
        /// It is stopped and gone.
        case removed
        /// It is stopped and started again, if it runs.
        case restarted
        /// It keeps its run.
        case changed
    }

    /// One group that is not the same.
    public struct GroupDifference: Hashable, Sendable {
        /// Its number in both plans.
        public var id: GroupID
        /// `added`, `removed` or `changed`.
        public var kind: Kind
        /// Its settings that are different.
        public var settings: [SettingChange]
    }

    init(from old: Plan, _ before: Arrangement, to new: Plan, _ after: Arrangement) {
        compareChildren(from: old, before, to: new, after)
        followRequires(in: new, after)
        compareGroups(from: old, before, to: new, after)
        let lists: [(String, KeyPath<SupervisorPlan, [UInt32]>)] = [
            ("read-users", \.readUids), ("read-groups", \.readGids), ("control-users", \.controlUids),
            ("control-groups", \.controlGids),
        ]
        supervisor = lists.filter { old.supervisor[keyPath: $0.1] != new.supervisor[keyPath: $0.1] }.map(\.0)
    }

    private mutating func compareChildren(
        from old: Plan, _ before: Arrangement, to new: Plan, _ after: Arrangement
    ) {
        let (known, kept) = (Set(before.children), Set(after.children))
        for child in after.children {
            guard known.contains(child) else {
                children.append(ChildDifference(id: child, kind: .added, settings: []))
                continue
            }
            let settings = Setting.changes(from: old[child], old, to: new[child], new)
            guard !settings.isEmpty else {
                unchanged += 1
                continue
            }
            let restarts = settings.contains { $0.effect == .restart }
            children.append(ChildDifference(id: child, kind: restarts ? .restarted : .changed, settings: settings))
        }
        for child in before.children where !kept.contains(child) {
            children.append(ChildDifference(id: child, kind: .removed, settings: []))
        }
    }

    private mutating func followRequires(in plan: Plan, _ arrangement: Arrangement) {
        let own = Set(children.filter { $0.kind == .restarted || $0.kind == .added }.map(\.id))
        var restarted = Set(children.filter { $0.kind == .restarted }.map(\.id))
        var count = 0
        repeat {
            count = restarted.count
            for child in arrangement.children where plan[child].policy.requires.contains(where: restarted.contains) {
                restarted.insert(child)
            }
        } while restarted.count > count
        dependents = arrangement.children.filter { restarted.contains($0) && !own.contains($0) }
        let changed = Set(children.map(\.id))
        unchanged -= dependents.count { !changed.contains($0) }
    }

    private mutating func compareGroups(
        from old: Plan, _ before: Arrangement, to new: Plan, _ after: Arrangement
    ) {
        let (known, kept) = (Set(before.groups), Set(after.groups))
        for group in after.groups {
            guard known.contains(group) else {
                groups.append(GroupDifference(id: group, kind: .added, settings: []))
                continue
            }
            let index = Int(group.rawValue)
            let settings = SettingWords.changes(
                from: old.groups[index].policy, old, to: new.groups[index].policy, new)
            if !settings.isEmpty { groups.append(GroupDifference(id: group, kind: .changed, settings: settings)) }
        }
        for group in before.groups where !kept.contains(group) {
            groups.append(GroupDifference(id: group, kind: .removed, settings: []))
        }
    }
}

/// One setting that is not the same.
public struct SettingChange: Hashable, Sendable {
    /// As in Supervisor.toml: `stop-timeout`, `environment.TOKEN`.
    public var name: String
    /// Whether it needs another run.
    public var effect: Setting.Effect
    /// The old and the new value in words; nil for both where the value may be a secret.
    public var values: Values?

    /// Old and new.
    public struct Values: Hashable, Sendable {
        /// In force until now.
        public var from: String
        /// In force from now on.
        public var to: String
    }
}
