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
            // What the file does not give steps back, so only what it gives can be in two.
            guard case .array(let list) = reader.table[keys[index].info.name]?.node.value else { continue }
            for element in list {
                guard let end = try? ExitText.read(element) else { continue }
                for earlier in keys.indices.prefix(index) where meanings[earlier].contains(end) {
                    report.error(
                        element.position,
                        "\(ExitText.words(end)) is in '\(keys[earlier].info.name)' too; an end has one meaning: take it"
                            + " out of one")
                }
            }
        }
        return ExitRule(success: meanings[0], config: meanings[1], network: meanings[2])
    }
}
