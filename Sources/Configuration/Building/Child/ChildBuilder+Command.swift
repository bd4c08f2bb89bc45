import Plan

extension ChildBuilder {
    /// What is executed. A missing program is an error for an enabled child and a note for one that is off.
    func command(
        _ programs: Programs, _ texts: inout TextBuilder, enabled: Bool
    ) -> (executable: String, arguments: [Text]) {
        guard reader.has(ChildKeys.command) else {
            if reader.isMissing(ChildKeys.command) {
                report.error(
                    reader.table.position,
                    "\(reader.label) has no 'command'; give one: command = [\"PROGRAM\", \"ARGUMENT\"]")
            }
            return ("", [])
        }
        let command = reader(ChildKeys.command)
        let fallback = reader(ChildKeys.fallback)
        let hint = reader(ChildKeys.fallbackHint).map { "; \($0)" } ?? ""
        if case .array(let list) = reader.table["command"]?.node.value, list.isEmpty {
            report.error(reader.position(of: ChildKeys.command), "'command' is empty; give at least the program")
        }
        let first = program(command, "command", programs, texts)
        let arguments = arguments(command, "command", &texts)
        guard let first else { return ("", arguments) }
        if case .unfit(let words) = first.value { refuse(first.position, words, enabled: enabled) }
        guard case .missing(let words, _) = first.value else { return (first.value.path, arguments) }

        if !fallback.isEmpty {
            let other = self.arguments(fallback, "fallback", &texts)
            guard let second = program(fallback, "fallback", programs, texts) else { return ("", other) }
            if case .path(let path) = second.value {
                report.note("'\(draft.name)' runs its fallback '\(path)': \(words)\(hint)")
                return (path, other)
            }
            if case .unfit(let words) = second.value { refuse(second.position, words, enabled: enabled) }
            refuse(second, programs.path, enabled: enabled)
        } else {
            refuse(first, programs.path, enabled: enabled)
        }
        // An absolute path is kept: the program may be there when a command starts the child.
        return (command.first.flatMap { $0.value.hasPrefix("/") ? $0.value : nil } ?? "", arguments)
    }

    /// A program that others could replace, or that nobody can find, is not run, also not by a later command.
    private func refuse(_ position: Position, _ words: String, enabled: Bool) {
        if enabled {
            report.error(position, words)
        } else {
            report.note("'\(draft.name)' is off and cannot be started: \(words)")
        }
    }

    private func refuse(_ program: Placed<Programs.Found>, _ searchPath: String, enabled: Bool) {
        guard case .missing(let words, let remedy) = program.value else { return }
        if enabled {
            let path = words.hasSuffix("PATH") ? " (\(searchPath))" : ""
            report.error(program.position, "\(words)\(path); \(remedy), correct the name, or set enabled = false")
        } else {
            report.note("'\(draft.name)' is off and cannot be started: \(words)")
        }
    }

    private func program(
        _ command: [Placed<String>], _ key: String, _ programs: Programs, _ texts: TextBuilder
    ) -> Placed<Programs.Found>? {
        guard let first = command.first, let name = texts.plain(first.value, first.position, key: key) else {
            return nil
        }
        return Placed(value: programs.find(name), position: first.position)
    }

    func arguments(_ command: [Placed<String>], _ key: String, _ texts: inout TextBuilder) -> [Text] {
        guard let first = command.first else { return [] }
        let name = first.value.split(separator: "/").last.map(String.init) ?? first.value
        return [Text(name)] + command.dropFirst().compactMap { texts.text($0.value, $0.position, key: key, .argument) }
    }
}

extension Programs.Found {
    /// Empty when it is missing.
    var path: String {
        switch self {
        case .path(let path): path
        case .missing, .unfit: ""
        }
    }
}
