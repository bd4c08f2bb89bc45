/// The paths that `explain` takes, for completions.
public struct KeyPaths {
    private let paths: [String]

    /// What may follow `prefix`: keys of the reference, or of the child or group it names.
    public init(_ prefix: String) {
        let parts = prefix.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let isNamed = parts.count > 2 && ["child", "group", "secret"].contains(parts[0])
        let top = isNamed ? parts[0...1].joined(separator: ".") + "." : nil
        var paths: [String] = []
        for section in KeyReference.sections {
            let title = section.title.drop { $0 == "[" }.prefix { $0 != "." && $0 != "]" }
            let isTable = section.title.hasPrefix("[")
            if isTable, let top, top.hasPrefix(title + ".") { paths += section.keys.map { top + $0.name } }
            if top == nil { paths += [String(title)] + section.keys.map { "\(title).\($0.name)" } }
        }
        if let top, top.hasPrefix("child.") {
            for key in ChildKeys.section.keys {
                paths += (KeyPlace.section(of: key)?.keys ?? []).map { "\(top)\(key.name).\($0.name)" }
            }
        }
        self.paths = paths.filter { $0.hasPrefix(prefix) }
    }

    /// One a line.
    public var lines: String { paths.map { $0 + "\n" }.joined() }
}
