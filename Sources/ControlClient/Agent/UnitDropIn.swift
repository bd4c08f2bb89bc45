/// A drop-in of nexus.service that lets it write where workspaces are (systemd.exec(5)): a line for each. What else stands in the
/// file stays as it is.
public struct UnitDropIn: Hashable, Sendable {
    /// What a path takes to be written by the unit.
    public enum Setting: String, Hashable, Sendable, CaseIterable {
        /// It is there, and read-only (ProtectSystem=strict).
        case writable = "ReadWritePaths"
        /// It is not there at all (ProtectHome=tmpfs).
        case bound = "BindPaths"

        /// By where it lies: the unit shows nobody's home.
        public init(of path: String) {
            let hidden = ["/home", "/root", "/run/user"]
            self = hidden.contains { path == $0 || path.hasPrefix($0 + "/") } ? .bound : .writable
        }
    }

    /// Why a path cannot be written down.
    public struct Unwritable: Error, Hashable, Sendable {
        /// One clause.
        public let words: String
    }

    /// Where it lies.
    public static func path(unit: String) -> String { "/etc/systemd/system/\(unit).d/nexus-workspaces.conf" }
    /// More than this is nobody's drop-in.
    public static let byteLimit = 65_536

    private var lines: [String]

    /// Reads what is there; an empty text is none.
    public init(_ text: String) { lines = text.split(separator: "\n").map(String.init) }

    /// The paths in it, in order.
    public var paths: [String] { lines.compactMap(Self.path(in:)) }

    /// Nothing that says anything to systemd.
    public var isEmpty: Bool { lines.allSatisfy { $0.hasPrefix("#") || $0.hasPrefix(";") || $0 == "[Service]" } }

    /// The file.
    public var text: String { lines.map { $0 + "\n" }.joined() }

    /// Lets the unit write there; false: it says so already.
    public mutating func add(_ path: String) throws(Unwritable) -> Bool {
        let word = try Self.quoted(path)
        guard !paths.contains(path) else { return false }
        if lines.isEmpty {
            lines = ["# Made by `nexusctl agent workspace`: where nexus.service may write beside what its unit says."]
        }
        if lines.last(where: { $0.hasPrefix("[") }) != "[Service]" { lines.append("[Service]") }
        lines.append("\(Setting(of: path).rawValue)=\(word)")
        return true
    }

    /// Takes it away again; false: it was not there.
    public mutating func remove(_ path: String) -> Bool {
        let before = lines.count
        lines.removeAll { Self.path(in: $0) == path }
        return lines.count < before
    }

    /// One word for systemd: `-` in front, so that a directory that is gone does not keep the unit from starting; `%%` for `%`
    /// (systemd.unit(5), specifiers), `\\` for `\`, and in quotes what else would end or change it, a colon of BindPaths= too.
    public static func quoted(_ path: String) throws(Unwritable) -> String {
        guard path.hasPrefix("/") else { throw Unwritable(words: "it is not absolute") }
        guard !path.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            throw Unwritable(words: "it has a control character in it (a newline?), which a unit file cannot hold")
        }
        guard !path.contains("\u{FFFD}") else {
            throw Unwritable(words: "it is not UTF-8, which a unit file must be")
        }
        let (double, single) = (path.contains("\""), path.contains("'"))
        guard !(double && single) else {
            throw Unwritable(words: "it has both kinds of quotes in it, which BindPaths= cannot hold")
        }
        let plain = path.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "/._-+@,%".utf8.contains(byte)
        }
        let text = "-" + path.replacing("\\", with: "\\\\").replacing("%", with: "%%")
        return plain ? text : double ? "'\(text)'" : "\"\(text)\""
    }

    /// The path of a line that we could have written; nil for any other line.
    private static func path(in line: String) -> String? {
        guard let setting = Setting.allCases.first(where: { line.hasPrefix($0.rawValue + "=") }) else { return nil }
        var text = line.dropFirst(setting.rawValue.count + 1)
        while text.last == " " { text = text.dropLast() }
        var quote: Character?
        if let first = text.first, first == "\"" || first == "'" {
            guard text.count > 1, text.last == first else { return nil }
            quote = first
            text = text.dropFirst().dropLast()
        }
        var (path, isEscaped) = ("", false)
        for character in text {
            if isEscaped {
                path.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == quote || (quote == nil && (character == " " || character == ":")) {
                return nil
            } else {
                path.append(character)
            }
        }
        path = path.replacing("%%", with: "%")
        if path.first == "-" { path.removeFirst() }
        return path.hasPrefix("/") && !isEscaped ? path : nil
    }
}
