/// `workspaces` of `[agent]` in Supervisor.toml.
public struct AgentWorkspaces: Hashable, Sendable {
    /// One of them.
    public struct Workspace: Hashable, Sendable {
        /// What it is called in the chat.
        public var name: String
        /// Absolute.
        public var path: String

        /// Both.
        public init(name: String, path: String) {
            self.name = name
            self.path = path
        }
    }

    /// In the order of the file; the first is the default.
    public var list: [Workspace]

    /// All of them.
    public init(_ list: [Workspace]) { self.list = list }

    /// The line for the file, in TOML.
    public var line: String {
        let tables = list.map { "{ name = \(Self.quoted($0.name)), path = \(Self.quoted($0.path)) }" }
        return "workspaces = [\(tables.joined(separator: ", "))]"
    }

    /// A basic string of TOML.
    private static func quoted(_ text: String) -> String {
        "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }

    /// What a name may be, for messages.
    public static let form = "1 to 32 of a-z, 0-9 and -, beginning with a letter or digit"

    /// As nexus-config has it.
    public static func isName(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard let first = bytes.first, bytes.count <= 32, first != UInt8(ascii: "-") else { return false }
        return bytes.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
        }
    }

    /// A name for a directory, from its own; nil when nothing is left of that.
    public static func name(for path: String) -> String? {
        let last = path.split(separator: "/").last.map { $0.lowercased() } ?? ""
        var name = String(last.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }.prefix(32))
        name.trimPrefix { $0 == "-" }
        while name.last == "-" { name.removeLast() }
        return isName(name) ? name : nil
    }

    /// Why the agent is not let write there, whoever asks for it; nil: it may be a workspace.
    /// - Parameter kept: the state and the runtime directory.
    public static func objection(to path: String, kept: [String]) -> String? {
        func holds(_ above: String, _ below: String) -> Bool {
            above == "/" || below == above || below.hasPrefix(above + "/")
        }
        let system = [
            "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/sbin", "/sys", "/usr",
        ]
        if let whose = (system + kept).first(where: { holds($0, path) }) {
            return "\(whose) is the system's or nexus's own, and the agent would write into it"
        }
        if let whose = (system + kept).first(where: { holds(path, $0) }) {
            return "\(whose) lies in it, and the agent would write there too"
        }
        if ["/home", "/root", "/run/user"].contains(path) { return "it is where people's homes are" }
        return nil
    }
}

extension String {
    /// As one word of a command that a person is to type into a shell.
    public var shellWord: String {
        let plain = utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "/._-+@,%:=".utf8.contains(byte)
        }
        return plain && !isEmpty ? self : "'\(replacing("'", with: "'\\''"))'"
    }
}
