import Plan
import SupervisorCore

/// The groups with what their children need to know of them.
struct BuiltGroups {
    var plans: [GroupPlan] = []
    /// The group of each child that has one.
    var membership: [ChildID: GroupID] = [:]
    /// Of groups whose order is a start order: the child before, and where this one is listed.
    var predecessors: [ChildID: Edge] = [:]
    /// For intensities.
    var readers: [SectionReader] = []

    /// Everything before a child in an ordered group.
    func earlier(than child: ChildID) -> Set<ChildID> {
        var found: Set<ChildID> = []
        var next = predecessors[child]?.to
        while let before = next, found.insert(before).inserted { next = predecessors[before]?.to }
        return found
    }
}

/// Builds `[group.NAME]`.
struct GroupBuilder {
    let sections: [Placed<(name: String, table: Table)>]
    let names: TreeNames
    let report: Report

    func build() -> BuiltGroups {
        var groups = BuiltGroups()
        for section in sections {
            guard let id = names.group(section.value.name) else { continue }
            let reader = SectionReader(
                GroupKeys.section, section.value.table, label: "[group.\(section.value.name)]", report: report)
            let strategy = reader(GroupKeys.strategy)
            let children = members(of: reader, id, section.value.name, &groups)
            if strategy != .oneForOne { order(children, section.value.name, &groups) }
            groups.readers.append(reader)
            groups.plans.append(
                GroupPlan(
                    name: section.value.name,
                    policy: GroupPolicy(
                        children: children.map(\.value), strategy: strategy,
                        intensity: IntensityReader.read(reader.below(GroupKeys.intensity)),
                        slowRetry: reader(GroupKeys.slowRetry))))
        }
        return groups
    }

    private func members(
        of reader: SectionReader, _ id: GroupID, _ name: String, _ groups: inout BuiltGroups
    ) -> [Placed<ChildID>] {
        guard reader.has(GroupKeys.children) else {
            if reader.isMissing(GroupKeys.children) {
                report.error(
                    reader.table.position,
                    "\(reader.label) has no 'children'; list them in their order: children = [\"…\"]")
            }
            return []
        }
        let listed = reader(GroupKeys.children)
        if listed.isEmpty, case .array = reader.table["children"]?.node.value {
            report.error(
                reader.position(of: GroupKeys.children), "\(reader.label) has no child; list one or take it out")
        }
        return names.children(listed, key: "children", report).filter { child in
            guard let other = groups.membership[child.value] else {
                groups.membership[child.value] = id
                return true
            }
            let owner = names.groups[Int(other.rawValue)]
            report.error(
                child.position, "'\(names.name(of: child.value))' is in group '\(owner)' already; a child has one group"
            )
            return false
        }
    }

    private func order(_ children: [Placed<ChildID>], _ name: String, _ groups: inout BuiltGroups) {
        for (before, child) in zip(children, children.dropFirst()) {
            groups.predecessors[child.value] = Edge(
                kind: .order(group: name), to: before.value, position: child.position)
        }
    }
}

/// Reads an `intensity` table.
enum IntensityReader {
    static func read(_ reader: SectionReader?) -> Intensity? {
        guard let reader else { return nil }
        let restarts = reader(IntensityKeys.restarts)
        let window = reader(IntensityKeys.window)
        if !reader.has(IntensityKeys.restarts) || !reader.has(IntensityKeys.window) {
            reader.report.error(
                reader.table.position, "\(reader.label) needs both: { restarts = 5, window = \"1min\" }")
        }
        guard let restarts, let window else { return nil }
        return Intensity(restarts: UInt16(restarts), window: window)
    }
}
