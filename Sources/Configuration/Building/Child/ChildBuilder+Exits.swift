import SupervisorCore

extension ChildBuilder {
    /// What the ends of this child mean. Where the file gives an end one meaning, the default of another steps back.
    func exits() -> ExitRule {
        guard let reader = reader.below(ChildKeys.exits) else { return ExitRule() }
        let keys = [ExitKeys.success, ExitKeys.config, ExitKeys.network]
        var meanings = keys.map { reader($0) }
        for (index, key) in keys.enumerated() where !reader.has(key) {
            for (other, otherKey) in keys.enumerated() where reader.has(otherKey) && other != index {
                meanings[index].subtract(meanings[other])
            }
        }
        // Success stays success, whatever the file says of it.
        meanings[0].insert(0)
        for index in keys.indices {
            for earlier in keys.indices.prefix(index) {
                let both = meanings[index].intersection(meanings[earlier])
                guard let end = both.map(ExitText.words).min() else { continue }
                report.error(
                    reader.position(of: keys[index]),
                    "\(end) is in '\(keys[earlier].info.name)' too; an end has one meaning: take it out of one")
            }
        }
        return ExitRule(success: meanings[0], config: meanings[1], network: meanings[2])
    }
}
