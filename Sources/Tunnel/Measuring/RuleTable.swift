/// Which rule is the first for a name, found by table: a dashboard may push a thousand of them, and each of their names is looked for.
struct RuleTable: Hashable, Sendable {
    /// By a rule's name.
    private var names: [String: Int] = [:]
    /// Of `*.example.invalid`, by `.example.invalid`.
    private var patterns: [String: Int] = [:]
    /// For every name.
    private var all: Int?

    /// Longest name that anybody can ask by, in bytes (RFC 1035, 2.3.4; `*.` before it).
    private static let nameLimitBytes = 255

    /// Of these rules, those that are meant.
    init(_ rules: ArraySlice<IngressRules.Rule>, where isMeant: (IngressRules.Rule) -> Bool) {
        for (index, rule) in rules.enumerated() where isMeant(rule) {
            let name = rule.name
            if name.isEmpty { all = all ?? index }
            if names[name] == nil { names[name] = index }
            guard name.hasPrefix("*.") else { continue }
            let end = String(name.dropFirst())
            if patterns[end] == nil { patterns[end] = index }
        }
    }

    /// As cloudflared chooses one: by the name, where `*.` stands for any.
    /// - Parameter asked: of `HostName.asked`; empty or `*`: every name.
    func first(for asked: String) -> Int? {
        guard asked.utf8.count <= Self.nameLimitBytes else { return all }
        let ends = asked.indices.lazy.filter { asked[$0] == "." }.compactMap { patterns[String(asked[$0...])] }
        return ([names[asked], all].compactMap { $0 } + ends).min()
    }
}
