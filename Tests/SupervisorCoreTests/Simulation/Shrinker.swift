import SupervisorCore

/// Makes a script that breaks a promise as small as it can while it still breaks that promise: first fewer steps, then a
/// simpler tree, then shorter waits, over again until nothing helps.
struct Shrinker {
    let inspector: Referee.Inspector?
    /// Plays it may take; a play of a few steps takes microseconds.
    var budget = 20_000

    /// The smallest script found, and what it comes to with everything told.
    mutating func shrink(_ script: Script, breaking promise: Int) -> (script: Script, verdict: Script.Verdict) {
        var best = script
        var isSmaller = true
        while isSmaller, budget > 0 {
            isSmaller = shortenSteps(&best, promise)
            isSmaller = simplifyTree(&best, promise) || isSmaller
            isSmaller = simplifySteps(&best, promise) || isSmaller
        }
        return (best, best.play(isTraced: true, inspector: inspector))
    }

    private mutating func breaks(_ script: Script, _ promise: Int) -> Bool {
        guard budget > 0 else { return false }
        budget -= 1
        return script.play(inspector: inspector).problems.first?.promise == promise
    }

    private mutating func adopt(_ candidate: Script, _ best: inout Script, _ promise: Int) -> Bool {
        guard breaks(candidate, promise) else { return false }
        best = candidate
        return true
    }

    /// Takes out blocks of steps, halves first, single ones at last (Zeller's delta debugging).
    private mutating func shortenSteps(_ best: inout Script, _ promise: Int) -> Bool {
        var isSmaller = false
        var size = max(1, best.steps.count / 2)
        while true {
            var start = 0
            while start < best.steps.count {
                var candidate = best
                candidate.steps.removeSubrange(start..<min(start + size, best.steps.count))
                if adopt(candidate, &best, promise) { isSmaller = true } else { start += size }
            }
            if size == 1 { return isSmaller }
            size = max(1, size / 2)
        }
    }

    private mutating func simplifyTree(_ best: inout Script, _ promise: Int) -> Bool {
        var isSmaller = false
        var change = 0
        while let tree = best.tree.simplified(change) {
            change += 1
            guard tree != best.tree else { continue }
            var candidate = best
            candidate.tree = tree
            if adopt(candidate, &best, promise) { isSmaller = true }
        }
        return isSmaller
    }

    private mutating func simplifySteps(_ best: inout Script, _ promise: Int) -> Bool {
        var isSmaller = false
        for change in [\Script.isCalmed, \Script.isCalmed].prefix(1) where best[keyPath: change] {
            var candidate = best
            candidate[keyPath: change] = false
            isSmaller = adopt(candidate, &best, promise) || isSmaller
        }
        for index in best.steps.indices where best.steps[index].wait > .zero {
            var candidate = best
            candidate.steps[index].wait = .zero
            isSmaller = adopt(candidate, &best, promise) || isSmaller
        }
        return isSmaller
    }
}

extension RandomTree {
    /// The n-th of all simplifications; nil: there are no more.
    fileprivate func simplified(_ change: Int) -> RandomTree? {
        var children = Array(tree.children)
        var groups = tree.groups
        var logWriter = tree.logWriter
        let plain = ChildPolicy()
        let simplifications: [(inout ChildPolicy) -> Void] = [
            { $0 = plain }, { $0.requires = [] }, { $0.after = [] }, { $0.critical = false },
            { $0.significant = false },
            { $0.intensity = nil }, { $0.liveness = nil }, { $0.watchdog = nil }, { $0.restart = .always },
            { $0.ready = .spawned }, { $0.stop = plain.stop }, { $0.delay = plain.delay }, { $0.enabled = true },
            { $0.exits = plain.exits }, { $0.schedule = nil }, { $0.startTimeout = plain.startTimeout },
        ]
        switch change {
        case 0: logWriter = nil
        case 1: if children.count > 1 { children.removeLast() }
        case 2..<6: if groups.indices.contains(change - 2) { groups.remove(at: change - 2) }
        case 6..<10: if groups.indices.contains(change - 6) { groups[change - 6].strategy = .oneForOne }
        case 10..<14: if groups.indices.contains(change - 10) { groups[change - 10].intensity = nil }
        case _:
            let index = change - 14
            guard index < children.count * simplifications.count else { return nil }
            simplifications[index % simplifications.count](&children[index / simplifications.count])
        }
        let last = UInt16(children.count)
        for index in children.indices {
            children[index].requires.removeAll { $0.rawValue > last && isTame }
            children[index].after.removeAll { $0.rawValue > last && isTame }
        }
        for index in groups.indices { groups[index].children.removeAll { $0.rawValue > last } }
        if let writer = logWriter, writer.rawValue > last { logWriter = nil }
        return RandomTree(
            tree: Tree(children: children, groups: groups, logWriter: logWriter), isTame: isTame)
    }
}
