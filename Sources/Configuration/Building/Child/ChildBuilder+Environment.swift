import Plan

extension ChildBuilder {
    /// The base, then the files in their order, then `environment`: later ones win.
    func environment(_ base: BaseEnvironment, _ texts: inout TextBuilder) -> [Variable] {
        var variables = base.variables
        func set(_ name: String, _ value: Text) {
            if let index = variables.firstIndex(where: { $0.name == name }) {
                variables[index].value = value
            } else {
                variables.append(Variable(name: name, value: value))
            }
        }
        if let directory = reader(ChildKeys.stateDirectory) {
            set("STATE_DIRECTORY", Text(context.places.state + "/" + directory))
        }
        for file in reader(ChildEnvironmentKeys.files) {
            for variable in self.variables(in: file, texts) { set(variable.name, Text(variable.value)) }
        }
        for entry in reader(ChildEnvironmentKeys.environment)?.value.entries ?? [] {
            guard isName(entry), let value = value(of: entry, &texts) else { continue }
            set(entry.key, value)
            noteMeantOtherwise(entry)
        }
        return variables
    }

    /// A key that was written behind the table's head is in the table; and what a shell would expand is not.
    private func noteMeantOtherwise(_ entry: Table.Entry) {
        let table = "'environment' of '\(draft.name)'"
        if reader.info.keys.contains(where: { $0.name == entry.key }) {
            report.note("'\(entry.key)' in \(table) is a variable; the key of that name stands above the table")
        }
        if entry.key == "PATH", case .string(let text) = entry.node.value, text.contains("$") {
            report.note("'PATH' in \(table) is taken as it is written: nothing is expanded in it")
        }
    }

    private func isName(_ entry: Table.Entry) -> Bool {
        if Reserved.variables.contains(entry.key) {
            report.error(entry.position, "'\(entry.key)' is set by nexusd itself; take it out of 'environment'")
            return false
        }
        guard Name.isVariable(entry.key) else {
            report.error(
                entry.position,
                "'\(entry.key)' is no name of a variable; take letters, digits and _, not beginning with a digit")
            return false
        }
        return true
    }

    private func value(of entry: Table.Entry, _ texts: inout TextBuilder) -> Text? {
        switch entry.node.value {
        case .string(let text): return texts.text(text, entry.node.position, key: entry.key, .environment)
        case .table(let table):
            guard table.entries.count == 1, let secret = table["secret"], case .string(let name) = secret.node.value
            else {
                report.error(entry.node.position, "'\(entry.key)' must be a string or { secret = \"NAME\" }")
                return nil
            }
            return texts.secret(name, secret.node.position, key: entry.key).map { Text(pieces: [.secret($0)]) }
        case .integer, .float, .boolean, .time, .array:
            report.error(
                entry.node.position, "'\(entry.key)' must be a string, found \(entry.node.kind); put it in quotes")
            return nil
        }
    }

    private func variables(in file: Placed<String>, _ texts: TextBuilder) -> [(name: String, value: String)] {
        let isOptional = file.value.hasPrefix("-")
        let text = isOptional ? String(file.value.dropFirst()) : file.value
        guard let plain = texts.plain(text, file.position, key: "environment-files") else { return [] }
        guard let path = PathText(places: context.places, host: host).absolute(plain, home: texts.home) else {
            report.error(file.position, PathText.refusal("environment-files", text))
            return []
        }
        if host.status(path) == nil {
            if !isOptional {
                report.error(
                    file.position, "there is no file '\(path)'; make it, or write \"-\(text)\" if it may be missing")
            }
            return []
        }
        guard
            let source = SourceText(
                path: path, name: path, reference: file.position, host: host, report: report)
        else { return [] }
        return VariableFile(source.bytes, name: path, report: report).variables.filter { name, value in
            ChildBuilder.checkString(
                name.utf8.count + 1 + value.utf8.count, "'\(name)' in '\(path)'", file.position, report)
        }
    }

    /// `secrets = [...]`: indices for files in `$CREDENTIALS_DIRECTORY`.
    func secretFiles(_ texts: inout TextBuilder) -> [UInt16] {
        var indices: [UInt16] = []
        for name in reader(ChildEnvironmentKeys.secrets) {
            guard let index = texts.secret(name.value, name.position, key: "secrets") else { continue }
            if indices.contains(index) {
                report.error(name.position, "'secrets' names '\(name.value)' twice; take one out")
            } else {
                indices.append(index)
            }
        }
        return indices
    }
}
