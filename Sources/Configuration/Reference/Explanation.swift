import Plan

/// What a key of Supervisor.toml is, and for a part of a file also its value there: `explain`.
public struct Explanation: Sendable {
    /// As it was asked for, in full: `child.web.delay.cap`.
    public let path: String
    /// The section it belongs to, as the reference calls it.
    public let section: String
    /// The key; nil: the whole section was asked for.
    public let key: KeyInfo?
    /// Keys of the section, when it was asked for; or of the table that this key is.
    public let keys: [KeyInfo]
    /// What a reload makes of a change.
    public let reload: String?
    /// What it comes to in the plan, for one that is no child's and no group's.
    let carriers: KeyCarriers?
    /// Value and place in the file; nil where no file, or no child of it, was named.
    public let inFile: Value?

    /// A table of keys that the file does not have: its default is that of each of them.
    public var isTableLeftOut: Bool { key != nil && !keys.isEmpty && inFile?.place == nil }

    /// A value of the file.
    public struct Value: Sendable {
        /// As it stands in the file, or the default.
        public let text: String
        /// `FILE:LINE`, or nil for the default.
        public let place: String?
    }

    /// A name that is no key: what may have been meant.
    public struct Unknown: Error, CustomStringConvertible {
        /// One sentence.
        public let description: String
    }

    /// Finds a key. `file` is the text of Supervisor.toml and the name by which it is shown; `evenIfMissing`: a child that
    /// is not in it is known to nexusd still.
    public init(
        _ path: String, in file: (bytes: [UInt8], name: String)?, evenIfMissing: Bool = false
    ) throws(Unknown) {
        let root = file.flatMap { Table(toml: $0.bytes, report: Report(file: $0.name)) }
        let place: KeyPlace
        do throws(Unknown) { place = try KeyPlace(path, in: root) } catch {
            guard let whole = Self.completed(path, root) else { throw error }
            throw Unknown(description: "there is no key '\(path)'; did you mean '\(whole)'?")
        }
        let named = place.name.map { "\(place.top ?? "").\($0)" }
        let isMissing = named != nil && root.map { place.table(in: $0) == nil } ?? false
        if let named, let root, isMissing, !evenIfMissing {
            let known = place.siblings(in: root)
            throw Unknown(
                description: "there is no [\(named)] in \(file?.name ?? "the file")"
                    + Nearest.hintOrList(for: place.name ?? "", among: known, of: "[\(place.top ?? "").…] in it"))
        }
        self.path = path
        section = place.section.title
        key = place.key
        keys = place.key == nil ? place.section.keys : place.below?.keys ?? []
        reload = place.key.flatMap { [section = place.section] in KeyEffect.words($0, in: section) }
        carriers =
            place.top == "child" || place.top == "group"
            ? nil
            : place.key.map { [section = place.section.title] in
                KeyCarriers(of: $0, in: section, path: path, root: root)
            }
        inFile =
            isMissing
            ? Value(text: "not there", place: file?.name) : file.flatMap { Self.value(place, root, $0.name) }
    }

    /// A path that begins with the name of a child, a group or a secret of the file: with the table before it.
    private static func completed(_ path: String, _ root: Table?) -> String? {
        ["child", "group", "secret"].map { $0 + "." + path }.first { whole in
            guard let root, let place = try? KeyPlace(whole, in: root), place.name != nil else { return false }
            return place.table(in: root) != nil
        }
    }

    private static func value(_ place: KeyPlace, _ root: Table?, _ name: String) -> Value? {
        guard let key = place.key, place.isConcrete else { return nil }
        guard let root else { return Value(text: "unknown: the file cannot be read, see nexusctl check", place: name) }
        guard let entry = place.table(in: root)?[key.name] else {
            return Value(text: key.initial.isEmpty ? "none" : key.initial, place: nil)
        }
        return Value(text: entry.node.shown, place: "\(name):\(entry.node.position.line)")
    }
}

extension Node {
    /// As it would be written in one line.
    var shown: String {
        switch value {
        case .string(let text): "\"\(text)\""
        case .integer(let number): "\(number)"
        case .float: "a floating-point number"
        case .boolean(let flag): "\(flag)"
        case .time: "a date or time"
        case .array(let list): "[" + list.map(\.shown).joined(separator: ", ") + "]"
        case .table(let table):
            "{ " + table.entries.map { "\($0.key) = \($0.node.shown)" }.joined(separator: ", ") + " }"
        }
    }
}
