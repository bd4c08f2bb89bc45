import Plan

/// What the running nexusd goes by, as nexusctl was told: beside the file, which may have been edited since.
public struct Running: Sendable {
    /// Values in the words of `diff`, by setting; empty for what may be a secret.
    public var settings: [String: String] = [:]
    /// Settings of which the file says something else.
    public var changed: Set<String> = []
    /// `on` or `off`, where an owner has started or stopped the child by command.
    public var choice: String?
    /// The file would be refused: the first thing that is wrong with it.
    public var refusal: String?
    /// Something, somewhere, is different in the file.
    public var differs = false
    /// The file has no such child or group any more.
    public var isRemoved = false

    /// Nothing is known yet.
    public init() {}

    /// What is in force of a key.
    public enum Force: Hashable, Sendable {
        /// What the file says.
        case asInFile
        /// Something else than the file says.
        case other(String)
        /// What an owner chose by command.
        case chosen(String)
        /// The file would be refused, or something in it is different: whether this key is cannot be told.
        case unknown
    }

    /// Of the key of an explanation.
    public func force(of explanation: Explanation) -> Force {
        guard let key = explanation.key else { return .unknown }
        let isChild = explanation.path.hasPrefix("child.")
        if isChild, key.name == "enabled", explanation.section == ChildKeys.section.title, let choice {
            return .chosen(choice == "on" ? "true" : "false")
        }
        guard isChild || explanation.path.hasPrefix("group.") else {
            return differs || refusal != nil ? .unknown : .asInFile
        }
        let names = isChild ? KeyEffect.settings(key.name, in: explanation.section) : [key.name]
        let isOther = refusal != nil || isRemoved || names.contains { changed.contains($0) }
        guard isOther else { return .asInFile }
        let values = names.compactMap { name in settings[name].map { (name, $0) } }
        guard !values.isEmpty else { return .unknown }
        let shown = values.map { name, value in
            let part = Self.part(key.name, of: value, name)
            let words = value.isEmpty ? "another value (not shown: it may be a secret)" : part
            return values.count == 1 ? words : name + " " + words
        }
        return .other(shown.joined(separator: ", "))
    }

    /// `30s` of `first 100ms, cap 30s, …`; the whole where it has no such part.
    private static func part(_ key: String, of value: String, _ setting: String) -> String {
        guard key != setting, !setting.hasSuffix("." + key), !value.contains("[") else { return value }
        let parts = value.split(separator: ",").map { $0.drop { $0 == " " } }
        let part = parts.first { $0.hasPrefix(key + " ") }
        return part.map { String($0.dropFirst(key.count + 1)) } ?? value
    }
}
