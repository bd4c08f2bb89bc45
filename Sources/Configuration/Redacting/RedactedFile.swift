import Plan

/// Supervisor.toml as it may be shown to others, and the secrets that it names.
public struct RedactedFile {
    /// The file written anew: every value in its place, those of environments left out, comments gone. Nil when it is no
    /// TOML.
    public let text: String?
    /// Values that stand in environments of the file, and what is behind the host in the address of a webhook: with many
    /// services who knows that may write there.
    public let environment: [String]
    /// Where it says that secrets lie, as it is written there.
    public let secretFiles: [String]

    /// Reads the text of the file; its mistakes do not matter here.
    public init(_ bytes: [UInt8]) {
        guard let root = Table(toml: bytes, report: Report(file: "Supervisor.toml")) else {
            text = nil
            environment = []
            secretFiles = []
            return
        }
        var writer = Writer()
        writer.write(root, path: [])
        text = writer.text
        environment = writer.hidden
        secretFiles = Self.secretFiles(root)
    }

    private static func secretFiles(_ root: Table) -> [String] {
        func text(_ table: Table?, _ key: String) -> String? {
            guard case .string(let text) = table?[key]?.node.value else { return nil }
            return text
        }
        func below(_ table: Table?, _ key: String) -> Table? {
            guard case .table(let found) = table?[key]?.node.value else { return nil }
            return found
        }
        let secrets = below(root, "secret")
        let named = (secrets?.entries ?? []).map { text(below(secrets, $0.key), "file") }
        let tunnel = below(root, "tunnel")
        let others = [
            text(tunnel, "credentials-file"), text(tunnel, "token-file"), text(below(root, "chat"), "key"),
        ]
        return (named + others).compactMap { $0 }
    }

    private struct Writer {
        var text = ""
        var hidden: [String] = []

        /// Plain keys first, then the tables, as TOML needs it.
        mutating func write(_ table: Table, path: [String]) {
            let isOnlySections = !table.entries.isEmpty && table.entries.allSatisfy { isSection($0, path) }
            if !path.isEmpty, !isOnlySections { text += "\n[\(path.map(quoted).joined(separator: "."))]\n" }
            for entry in table.entries where !isSection(entry, path) {
                let isHidden = entry.key == "environment"
                if path == ["word"], entry.key == "webhook", case .string(let address) = entry.node.value {
                    text += "\(entry.key) = \(literal(withoutPath(address)))\n"
                    continue
                }
                text += "\(quoted(entry.key)) = \(inline(entry.node, hides: isHidden))\n"
            }
            for entry in table.entries {
                if case .table(let below) = entry.node.value, isSection(entry, path) {
                    write(below, path: path + [entry.key])
                }
            }
        }

        /// Tables of the first two levels have headers; what is below stands in one line.
        private func isSection(_ entry: Table.Entry, _ path: [String]) -> Bool {
            guard case .table = entry.node.value else { return false }
            return path.count < 2
        }

        private mutating func inline(_ node: Node, hides: Bool) -> String {
            switch node.value {
            case .string(let string):
                guard hides else { return literal(Self.withoutSecrets(string)) }
                hidden.append(string)
                return "\"[redacted]\""
            case .integer(let number): return String(number)
            case .boolean(let flag): return flag ? "true" : "false"
            case .float, .time: return literal("[\(node.kind)]")
            case .array(let nodes): return "[" + nodes.map { inline($0, hides: hides) }.joined(separator: ", ") + "]"
            case .table(let table):
                let members = table.entries.map { entry in
                    // `{ secret = "NAME" }` names a secret and is none.
                    let isName = hides && entry.key == "secret" && table.entries.count == 1
                    return "\(quoted(entry.key)) = \(inline(entry.node, hides: hides && !isName))"
                }
                return members.isEmpty ? "{}" : "{ " + members.joined(separator: ", ") + " }"
            }
        }

        private mutating func withoutPath(_ address: String) -> String {
            let scheme = address.range(of: "://")?.upperBound ?? address.startIndex
            guard let end = address[scheme...].firstIndex(where: { "/?#".contains($0) }) else {
                return Self.withoutSecrets(address)
            }
            let rest = address[address.index(after: end)...]
            if !rest.isEmpty { hidden.append(String(rest)) }
            return Self.withoutSecrets(String(address[...end])) + (rest.isEmpty ? "" : "[redacted]")
        }

        private static func withoutSecrets(_ string: String) -> String {
            String(decoding: TextRedactor(values: []).redacted(Array(string.utf8)), as: UTF8.self)
        }

        private func quoted(_ key: String) -> String {
            let isBare =
                !key.isEmpty
                && key.utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                        || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
                }
            return isBare ? key : literal(key)
        }

        private func literal(_ string: String) -> String {
            var text = "\""
            for scalar in string.unicodeScalars {
                switch scalar {
                case "\"": text += "\\\""
                case "\\": text += "\\\\"
                case "\n": text += "\\n"
                case "\t": text += "\\t"
                case "\u{0}"..<"\u{20}", "\u{7F}":
                    let digits = String(scalar.value, radix: 16)
                    text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                case _: text.unicodeScalars.append(scalar)
                }
            }
            return text + "\""
        }
    }
}

extension Plan {
    /// What environments of children say, literal parts only, beside the variables every child has; and where the values of
    /// secrets lie.
    public var environmentValues: [String] {
        let usual: Set<String> = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TMPDIR", "STATE_DIRECTORY"]
        return children.flatMap { child in
            child.environment.filter { !usual.contains($0.name) }.flatMap { variable in
                variable.value.pieces.compactMap { piece in
                    if case .literal(let text) = piece { text } else { nil }
                }
            }
        }
    }

    /// Files that hold secrets.
    public var secretFiles: [String] {
        secrets.compactMap { secret in
            if case .file(let path) = secret.source { path } else { nil }
        }
    }
}
