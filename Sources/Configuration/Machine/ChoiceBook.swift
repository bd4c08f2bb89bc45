public import Plan
import SupervisorCore

/// What owners chose by command, in the file `choices` of the state directory: a line `NAME off` or `NAME on` each,
/// between a first line that names the format and a last one that counts them. Only nexus-config reads and writes it.
public struct ChoiceBook {
    /// Bytes that are read: all children there can be, with names as long as they may be.
    static let limit = 2 * 1024 * 1024
    static let name = "choices"
    /// What could not be read is kept under this name.
    static let damaged = "choices.damaged"

    private static let head = "nexus choices 1"
    private let store: PlanStore

    /// In the state directory of `store`.
    public init(_ store: PlanStore) { self.store = store }

    /// Merges what is recorded into a plan. A file that cannot be read is moved aside if `mayRepair`; the notes say so,
    /// and that the choices in it are forgotten. One that others may write is refused, as Supervisor.toml is, and left alone.
    public func apply(to plan: inout Plan, mayRepair: Bool) throws(PlanStore.Failure) -> [String] {
        var (choices, complaint) = try load(mayRepair: mayRepair)
        var notes = complaint.map { [$0] } ?? []
        for child in plan.children where child.role == .logWriter && choices[child.name] == .off {
            // Earlier versions took it, and kept no log of anything from then on.
            notes.append("the recorded choice '\(child.name) off' is ignored: what children say is always kept")
            choices[child.name] = nil
            if mayRepair { try? store.replace(Self.name, with: Self.text(choices)) }
        }
        for index in plan.children.indices { plan.children[index].choice = choices[plan.children[index].name] }
        return notes
    }

    /// Records words like `web=off`; a choice for a child that is in no plan is kept for its return. The text, if there is
    /// one, says what else was found wrong.
    public func record(_ words: [String]) throws(PlanStore.Failure) -> String? {
        var (choices, complaint) = try load(mayRepair: true)
        for word in words {
            let (name, choice) = try Self.parse(word)
            choices[name] = choice
        }
        try store.replace(Self.name, with: Self.text(choices))
        try keepInLastGood(choices)
        return complaint
    }

    /// A start from last-good must not start what its owner stopped meanwhile. One that is damaged, or that others may
    /// write, stays as it is: nexusd refuses it.
    private func keepInLastGood(_ choices: [String: Choice]) throws(PlanStore.Failure) {
        let bytes: [UInt8]?
        do throws(PlanStore.Failure) {
            bytes = try store.content("last-good", limit: Plan.encodedLimit)
        } catch {
            if error.isDistrust { return }
            throw error
        }
        guard let bytes, var plan = try? Plan(encoded: bytes) else { return }
        for index in plan.children.indices { plan.children[index].choice = choices[plan.children[index].name] }
        try store.keep(plan.encoded())
    }

    private func load(
        mayRepair: Bool
    ) throws(PlanStore.Failure) -> (choices: [String: Choice], complaint: String?) {
        let problem: String
        do throws(PlanStore.Failure) {
            guard let bytes = try store.content(Self.name, limit: Self.limit) else { return ([:], nil) }
            switch Self.read(bytes) {
            case .success(let choices): return (choices, nil)
            case .failure(let damage): problem = damage.words
            }
        } catch {
            if error.isDistrust { throw error }
            problem = "\(error)"
        }
        var words =
            "the choices made by command cannot be read (\(problem)) and are forgotten: choose again by `nexusctl start`"
            + " and `nexusctl stop` what is to differ from the file"
        if mayRepair {
            do throws(PlanStore.Failure) {
                try store.setAside(Self.name, as: Self.damaged)
                words += "; the file is kept as \(Self.damaged) in the state directory"
            } catch {
                words += "; \(error)"
            }
        }
        return ([:], words)
    }

    struct Damage: Error {
        let words: String
    }

    static func read(_ bytes: [UInt8]) -> Result<[String: Choice], Damage> {
        func damaged(_ line: Int, _ words: String) -> Result<[String: Choice], Damage> {
            .failure(Damage(words: "line \(line): \(words)"))
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { return damaged(1, "it is not UTF-8") }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        guard lines.popFirst() == Substring(head) else { return damaged(1, "it does not begin with '\(head)'") }
        guard lines.popLast() == "", let last = lines.popLast(), last == "end \(lines.count)" else {
            return damaged(lines.count + 2, "its end is missing")
        }
        var choices: [String: Choice] = [:]
        for (index, line) in lines.enumerated() {
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            guard words.count == 2, Name.isValid(String(words[0])), let choice = choice(words[1]),
                choices.updateValue(choice, forKey: String(words[0])) == nil
            else { return damaged(index + 2, "'\(line.prefix(60))' is no choice") }
        }
        return .success(choices)
    }

    static func text(_ choices: [String: Choice]) -> [UInt8] {
        let lines = choices.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.isOn ? "on" : "off")\n" }
        return Array("\(head)\n\(lines.joined())end \(lines.count)\n".utf8)
    }

    private static func parse(_ word: String) throws(PlanStore.Failure) -> (name: String, choice: Choice?) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, Name.isValid(String(parts[0])), parts[1] == "file" || choice(parts[1]) != nil else {
            throw PlanStore.Failure(words: "'\(word)' is no choice; write NAME=off, NAME=on or NAME=file")
        }
        return (String(parts[0]), choice(parts[1]))
    }

    private static func choice(_ word: Substring) -> Choice? {
        switch word {
        case "on": .on
        case "off": .off
        case _: nil
        }
    }

}
