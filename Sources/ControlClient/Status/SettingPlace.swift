/// Where a key of a child stands in Supervisor.toml, or would: found by the shape of the lines, for pointing a reader at
/// the place. What is written in a way this does not see counts as a default.
public enum SettingPlace: Hashable, Sendable {
    /// The key is written in this line.
    case written(line: Int)
    /// It is not written; this is the line of the table it belongs into.
    case table(line: Int)
    /// Not even its table is there.
    case missing

    /// Looks for `child.NAME.KEY` or `child.NAME.KEY.PART`, and the same of groups and secrets.
    public init(of key: String, in file: String) {
        let path = key.split(separator: ".").map(String.init)
        guard path.count >= 3 else {
            self = .missing
            return
        }
        let table = path[0] + "." + path[1]
        let inner = path.dropFirst(2).joined(separator: ".")
        var current = ""
        var header: Int?
        for (index, line) in file.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.drop { $0 == " " || $0 == "\t" }
            if line.hasPrefix("[") {
                current = Self.name(of: line)
                if current == table || current == table + "." + path[2] { header = index + 1 }
                guard current == table + "." + inner else { continue }
            } else if let written = Self.key(of: line) {
                // The table of a key that is not in it.
                if (current.isEmpty ? written : current + "." + written) == table + "." + path[2] { header = index + 1 }
                guard Self.names(current, written, line, table, inner, path[2]) else { continue }
            } else {
                continue
            }
            self = .written(line: index + 1)
            return
        }
        self = header.map { .table(line: $0) } ?? .missing
    }

    /// `[child.web]` and `[[child.web.sockets]]`, spaces and quotes taken off.
    private static func name(of line: Substring) -> String {
        String(line.drop { $0 == "[" }.prefix { $0 != "]" }.filter { $0 != " " && $0 != "\"" && $0 != "'" })
    }

    private static func key(of line: Substring) -> String? {
        guard let equals = line.firstIndex(of: "="), line.first != "#" else { return nil }
        return String(line[..<equals].filter { $0 != " " && $0 != "\"" && $0 != "'" && $0 != "\t" })
    }

    /// Whether a line sets the key: by itself, with dots, in a table of its own, or inside an inline table.
    private static func names(
        _ current: String, _ written: String, _ line: Substring, _ table: String, _ inner: String, _ first: String
    ) -> Bool {
        let full = current.isEmpty ? written : current + "." + written
        if full == table + "." + inner { return true }
        guard inner != first, full == table + "." + first else { return false }
        let part = inner.dropFirst(first.count + 1)
        // `{ part = …` or `, part=…`, and not `slow-part = …`.
        return line.split(whereSeparator: { "{, ".contains($0) }).contains { $0 == part || $0.hasPrefix("\(part)=") }
    }
}
