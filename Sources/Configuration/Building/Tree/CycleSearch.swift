import SupervisorCore

/// Finds children that wait for each other. The search keeps its own stack: a file may have a chain of thousands.
struct CycleSearch {
    private let edges: [ChildID: [Edge]]
    private let order: [ChildID]
    private let names: TreeNames

    init(children: [BuiltChild], names: TreeNames) {
        self.names = names
        order = children.map(\.id)
        var edges = Dictionary(uniqueKeysWithValues: children.map { ($0.id, $0.edges) })
        // Ready by the word of its only reporter: it waits for that worker.
        for child in children where child.plan.readiness == .health {
            let reporters = children.filter { $0.health.contains(child.id) }
            guard reporters.count == 1, let reporter = reporters.first else { continue }
            let position = child.reader.position(of: ChildReadyKeys.ready)
            edges[child.id, default: []].append(Edge(kind: .health, to: reporter.id, position: position))
        }
        self.edges = edges
    }

    /// One error for each set of children that wait for each other, at the edge that closes the circle.
    func report(to report: Report) {
        var finished: Set<ChildID> = []
        var reported: Set<ChildID> = []
        for start in order where !finished.contains(start) {
            var path: [(child: ChildID, next: Int)] = [(start, 0)]
            var depth = [start: 0]
            while let (child, next) = path.last {
                let outgoing = edges[child] ?? []
                guard next < outgoing.count else {
                    finished.insert(child)
                    depth[child] = nil
                    path.removeLast()
                    continue
                }
                path[path.count - 1].next += 1
                let edge = outgoing[next]
                if let begin = depth[edge.to] {
                    let cycle = path[begin...].map { (child: $0.child, edge: edges[$0.child]?[$0.next - 1] ?? edge) }
                    let members = Set(cycle.map(\.child))
                    if reported.isDisjoint(with: members) { report.error(edge.position, words(for: cycle)) }
                    reported.formUnion(members)
                } else if !finished.contains(edge.to) {
                    depth[edge.to] = path.count
                    path.append((edge.to, 0))
                }
            }
        }
    }

    private func words(for cycle: [(child: ChildID, edge: Edge)]) -> String {
        let steps = cycle.prefix(8).map { step in
            let (from, to) = (names.name(of: step.child), names.name(of: step.edge.to))
            switch step.edge.kind {
            case .requires: return "'\(from)' requires '\(to)'"
            case .after: return "'\(from)' is after '\(to)'"
            case .order(let group): return "'\(from)' follows '\(to)' in group '\(group)'"
            case .health: return "'\(from)' is ready by the word of '\(to)'"
            }
        }
        let rest = cycle.count > 8 ? ", … (\(cycle.count) children)" : ""
        return "cycle: \(steps.joined(separator: ", "))\(rest); none of them could ever start: take one of these out"
    }
}
