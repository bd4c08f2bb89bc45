import Plan

/// A dotted path to a key: `child.web.delay.cap` of a file, `child.delay.cap` or `delay.cap` of the reference.
struct KeyPlace {
    /// The table at the top of the file; nil for a path that begins inside of one.
    private(set) var top: String?
    /// The name of a child, a group or a secret.
    private(set) var name: String?
    /// Where the key stands.
    private(set) var section: SectionInfo
    /// The key; nil: the section itself was meant.
    private(set) var key: KeyInfo?
    /// Tables on the way to the section, below the child.
    private var tables: [String] = []

    private static let tops: [(name: String, section: SectionInfo, isNamed: Bool)] = [
        ("supervisor", SupervisorKeys.section, false), ("log", LogKeys.section, false),
        ("group", GroupKeys.section, true), ("child", ChildKeys.section, true),
        ("secret", SecretKeys.section, true), ("agent", AgentKeys.section, false),
        ("chat", ChatKeys.section, false), ("word", WordKeys.section, false),
        ("tunnel", TunnelKeys.section, false),
    ]

    /// A child may be called as a key is. Where `root` has it, and the path leads to a key of it, it is meant.
    init(_ path: String, in root: Table?) throws(Explanation.Unknown) {
        if let root, let named = try? KeyPlace(path, isNamed: true), named.name != nil, named.table(in: root) != nil {
            self = named
        } else {
            try self.init(path, isNamed: false)
        }
    }

    private init(_ path: String, isNamed: Bool) throws(Explanation.Unknown) {
        var words = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)[...]
        guard let first = words.first, words.allSatisfy({ !$0.isEmpty }) else {
            throw Explanation.Unknown(description: "'\(path)' is no key; write one such as child.web.delay.cap")
        }
        if let top = Self.tops.first(where: { $0.name == first }) {
            words.removeFirst()
            self.top = first
            section = top.section
            // `child.delay.cap` is of no child in particular.
            if top.isNamed, let second = words.first,
                isNamed || !section.keys.contains(where: { $0.name == second })
            {
                name = second
                words.removeFirst()
            }
        } else if let section = KeyReference.sections.first(where: { $0.title == first }) {
            self.section = section
            words.removeFirst()
        } else {
            section = try Self.onlySection(with: first)
        }
        try descend(words)
    }

    /// The one section that has a key of this name.
    private static func onlySection(with word: String) throws(Explanation.Unknown) -> SectionInfo {
        let owners = KeyReference.sections.filter { section in section.keys.contains { $0.name == word } }
        if let child = owners.first(where: { $0.title == ChildKeys.section.title }) { return child }
        if owners.count == 1, let owner = owners.first { return owner }
        guard owners.isEmpty else {
            let list = owners.map { "\($0.title): \(word)" }.joined(separator: ", ")
            throw Explanation.Unknown(description: "'\(word)' is a key of several tables; say which: \(list)")
        }
        let all = tops.map(\.name) + KeyReference.sections.flatMap { $0.keys.map(\.name) }
        let hint = Nearest.hint(for: word, among: all)
        throw Explanation.Unknown(
            description: "there is no key '\(word)'" + (hint.isEmpty ? "; `nexusctl explain` lists the sections" : hint)
        )
    }

    private mutating func descend(_ words: ArraySlice<String>) throws(Explanation.Unknown) {
        for (index, word) in words.enumerated() {
            guard let key = section.keys.first(where: { $0.name == word }) else {
                throw Explanation.Unknown(
                    description: "\(section.title) has no key '\(word)'"
                        + Nearest.hintOrList(for: word, among: section.keys.map(\.name), of: "key in it"))
            }
            guard index < words.count - 1 else {
                self.key = key
                return
            }
            guard let below = Self.section(of: key) else {
                throw Explanation.Unknown(description: "'\(word)' of \(section.title) has no keys of its own")
            }
            tables.append(word)
            section = below
        }
    }

    /// The keys that the value of a key may have.
    static func section(of key: KeyInfo) -> SectionInfo? {
        key.shape.sectionTitle.flatMap { title in KeyReference.sections.first { $0.title == title } }
    }

    /// The section of the table that this key is.
    var below: SectionInfo? { key.flatMap { Self.section(of: $0) } }

    /// True for a path that leads to one place of a file.
    var isConcrete: Bool {
        guard let top else { return false }
        return name != nil || Self.tops.contains { $0.name == top && !$0.isNamed }
    }

    /// The table in which the key stands, or would.
    func table(in root: Table) -> Table? {
        guard let top, var table = root[top]?.node.asTable else { return nil }
        if let name {
            guard let named = table[name]?.node.asTable else { return nil }
            table = named
        }
        for word in tables {
            guard let below = table[word]?.node.asTable else { return Table(position: table.position, entries: []) }
            table = below
        }
        return table
    }

    /// Names beside the one that was asked for.
    func siblings(in root: Table) -> [String] { top.flatMap { root[$0]?.node.asTable?.entries.map(\.key) } ?? [] }
}

extension Node {
    fileprivate var asTable: Table? { if case .table(let table) = value { table } else { nil } }
}
