/// Reads the keys of one table and reports what it does not know.
struct SectionReader {
    let info: SectionInfo
    let table: Table
    /// `[child.web]`, or `'delay' of [child.web]`.
    let label: String
    let report: Report

    /// Unknown keys are reported at once.
    init(_ info: SectionInfo, _ table: Table, label: String, report: Report) {
        self.info = info
        self.table = table
        self.label = label
        self.report = report
        for entry in table.entries where !info.keys.contains(where: { $0.name == entry.key }) {
            let hint = hint(for: entry.key, among: info.keys.map(\.name))
            report.error(entry.position, "unknown key '\(entry.key)' in \(label)\(hint)")
        }
    }

    /// The value of a key: as given, its default when absent or wrong (which is reported).
    func callAsFunction<Value>(_ key: Key<Value>) -> Value {
        guard let entry = table[key.info.name] else { return key.initial }
        do {
            return try key.read(entry.node)
        } catch {
            for wrong in [error] + error.others { report.error(wrong.position, "'\(key.info.name)' \(wrong.words)") }
            return key.initial
        }
    }

    /// Where the value of a key stands; the table when it is absent.
    func position<Value>(of key: Key<Value>) -> Position { table[key.info.name]?.node.position ?? table.position }

    /// Where the key itself stands; the table when it is absent.
    func keyPosition<Value>(of key: Key<Value>) -> Position { table[key.info.name]?.position ?? table.position }

    /// True when the key is given, whatever its value.
    func has<Value>(_ key: Key<Value>) -> Bool { table[key.info.name] != nil }

    /// True when the key is absent, and no unknown key looks as if it were meant (that one was reported).
    func isMissing<Value>(_ key: Key<Value>) -> Bool {
        if has(key) { return false }
        let known = info.keys.map(\.name)
        return !table.entries.contains { entry in
            !known.contains(entry.key) && Nearest.name(for: entry.key, among: known) == key.info.name
        }
    }

    /// A reader for a table inside this one.
    func below(_ key: Key<SectionValue?>) -> SectionReader? {
        guard let value = self(key) else { return nil }
        return SectionReader(value.info, value.table, label: "'\(key.info.name)' of \(label)", report: report)
    }

    private func hint(for word: String, among known: [String]) -> String {
        let owners = KeyReference.sections.filter { section in
            section.title != info.title && section.keys.contains { $0.name == word }
        }
        if !owners.isEmpty, Nearest.name(for: word, among: known) == nil {
            let named = owners.count > 3 ? owners.prefix(3).map(\.title) + ["others"] : owners.map(\.title)
            let list =
                named.count == 1
                ? named[0] : named.dropLast().joined(separator: ", ") + " and \(named[named.count - 1])"
            return "; it is a key of \(list)"
        }
        let hint = Nearest.hint(for: word, among: known)
        return hint.isEmpty ? "; 'nexus-config keys' lists all keys" : hint
    }
}
