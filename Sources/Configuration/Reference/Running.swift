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
    /// Of the whole file: settings that are different there, as `child.web.environment.PORT` or `supervisor.read-users`.
    public var moved: [String: Move] = [:]
    /// There are more such settings than nexusd named.
    public var differs = false
    /// The file has no such child or group any more.
    public var isRemoved = false

    /// Both values of a setting that is different; empty where they may be a secret.
    public struct Move: Hashable, Sendable {
        /// In force.
        public var from: String
        /// In the file.
        public var to: String

        /// Both.
        public init(from: String, to: String) {
            self.from = from
            self.to = to
        }
    }

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
        /// The file would be refused, or what this key is a part of is different: whether it is itself cannot be told.
        case unknown
    }

    /// Of the key of an explanation.
    public func force(of explanation: Explanation) -> Force {
        guard let key = explanation.key else { return .unknown }
        let isChild = explanation.path.hasPrefix("child.")
        if isChild, key.name == "enabled", explanation.section == ChildKeys.section.title, let choice {
            return .chosen(choice == "on" ? "true" : "false")
        }
        guard isChild || explanation.path.hasPrefix("group.") else { return force(of: key, explanation) }
        let names =
            isChild ? KeyEffect.settings(key.name, in: explanation.section) : ofGroup(key.name, explanation.section)
        let isOther = refusal != nil || isRemoved || names.contains { changed.contains($0) }
        guard isOther else { return .asInFile }
        let values = names.compactMap { name in settings[name].map { (name, $0) } }
        guard !values.isEmpty else { return .unknown }
        let shown = values.map { name, value in
            let part = Self.part(key.name, of: value, name)
            let words = value.isEmpty ? Self.hidden : part
            return values.count == 1 && !name.hasPrefix(key.name + ".") ? words : name + " " + words
        }
        return .other(shown.joined(separator: ", "))
    }

    /// `first 100ms, cap 30s`: what is in force of the parts of a child's table; nil: nothing is known of them.
    public func parts(of explanation: Explanation) -> String? {
        guard let key = explanation.key, explanation.path.hasPrefix("child.") else { return nil }
        let path = key.name + "."
        let parts = KeyEffect.settings(key.name, in: explanation.section).compactMap { name in
            settings[name].map { name.hasPrefix(path) ? "\(name.dropFirst(path.count)) \($0)" : $0 }
        }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    /// The settings of a group that a key is, or has as its parts: as far as they are different, for nothing else is known of them.
    private func ofGroup(_ key: String, _ section: String) -> [String] {
        let path = section == GroupKeys.section.title ? key : "\(section).\(key)"
        return changed.filter { $0 == path || $0.hasPrefix(path + ".") }.sorted()
    }

    /// Of a key that is no child's and no group's: by what carries it.
    private func force(of key: KeyInfo, _ explanation: Explanation) -> Force {
        guard refusal == nil, let carriers = explanation.carriers else { return .unknown }
        let moves = carriers.settings.compactMap { name in moved[name].map { (name, $0) } }
        guard !moves.isEmpty else { return differs ? .unknown : .asInFile }
        guard explanation.section == LogKeys.section.title, key.name != "user" else {
            guard carriers.isAlone else { return .unknown }
            return .other(key.name == "user" ? moves[0].1.from : "another value; `nexusctl diff` shows who has it")
        }
        for (name, move) in moves {
            let isCommand = name.hasSuffix(".command")
            func value(_ text: String) -> String {
                isCommand ? Self.word(key.name, of: text) : Self.part(key.name, of: text, "log")
            }
            if value(move.from) != value(move.to) { return .other(value(move.from)) }
        }
        return differs ? .unknown : .asInFile
    }

    /// What log-writer is told of a key by its command line.
    private static func word(_ key: String, of command: String) -> String {
        let words = command.split(separator: " ").map(String.init)
        switch key {
        case "journal": return words.contains("--no-journal") ? "false" : "true"
        case "compress": return words.contains("--compress") ? "true" : "false"
        case "total", "max-age":
            guard let place = words.firstIndex(of: "--" + key), place + 1 < words.count else { return "none" }
            let number = Int64(words[place + 1]) ?? 0
            return key == "total" ? SizeText.show(UInt64(clamping: number)) : DurationText.show(.seconds(number))
        case _: return ""
        }
    }

    private static let hidden = "another value (not shown: it may be a secret)"

    /// `30s` of `first 100ms, cap 30s, …`; the whole where it has no such part.
    private static func part(_ key: String, of value: String, _ setting: String) -> String {
        guard key != setting, !setting.hasSuffix("." + key), !value.contains("[") else { return value }
        let parts = value.split(separator: ",").map { $0.drop { $0 == " " } }
        let part = parts.first { $0.hasPrefix(key + " ") }
        return part.map { String($0.dropFirst(key.count + 1)) } ?? value
    }
}
