import ArgumentParser
import Glibc
import NexusConfiguration
import Wire

/// `nexus-config explain`: what `nexusctl explain` runs.
struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Explains a key of Supervisor.toml: type, default, values, meaning, and its value in a file.",
        discussion: "Without KEY it lists the sections.")

    @Argument(help: "child.web.delay.cap, child.delay.cap, delay.cap, or a section such as delay.") var key: String?
    @Option(help: "Supervisor.toml, for the value in force (default: the one that nexusd would read for this user).")
    var config: String?
    @Flag(help: "One JSON object.") var json = false

    func run() throws {
        guard let key else { return try write(sections) }
        let name = config ?? Defaults().config
        let bytes = SupervisorFile.read(Defaults.absolute(name))
        do {
            let explanation = try Explanation(key, in: bytes.map { ($0, name) })
            try write(json ? explanation.json : explanation.text)
        } catch {
            throw Refusal(words: "nexus-config: \(error)")
        }
    }

    private func write(_ text: String) throws { try Output.write(Array(text.utf8), to: STDOUT_FILENO) }

    private var sections: String {
        guard json else {
            let width = KeyReference.sections.map(\.title.count).max() ?? 0
            return KeyReference.sections.map { section in
                section.title + String(repeating: " ", count: width - section.title.count) + "  \(section.summary)\n"
            }.joined() + "\nnexusctl explain SECTION lists its keys, nexusctl explain child.NAME.KEY explains one.\n"
        }
        var writer = JSONWriter()
        writer.object { writer in
            writer.array("sections") { writer in
                for section in KeyReference.sections {
                    writer.object {
                        $0.field("title", section.title)
                        $0.field("summary", section.summary)
                    }
                }
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }
}

extension Explanation {
    /// For people.
    var text: String {
        var lines: [String] = []
        if let key {
            lines.append("\(path): \(key.summary)")
            lines.append("  type     \(key.type)")
            lines.append("  default  \(key.initial.isEmpty ? "none" : key.initial)")
            if !key.range.isEmpty { lines.append("  values   \(key.range)") }
            if let reload { lines.append("  reload   \(reload)") }
            if let inForce { lines.append("  in force \(inForce.text)  (\(inForce.place ?? "the default"))") }
        } else {
            lines.append("\(path): keys of \(section)")
        }
        let width = keys.map(\.name.count).max() ?? 0
        for key in keys {
            lines.append("  \(key.name)\(String(repeating: " ", count: width - key.name.count))  \(key.summary)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// For programs.
    var json: String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("key", path)
            writer.field("section", section)
            writer.field("type", key?.type)
            writer.field("default", key.flatMap { $0.initial.isEmpty ? nil : $0.initial })
            writer.field("values", key.flatMap { $0.range.isEmpty ? nil : $0.range })
            writer.field("summary", key?.summary)
            writer.field("reload", reload)
            writer.field("value", inForce?.text)
            writer.field("place", inForce?.place)
            writer.array("keys") { writer in for key in keys { writer.value(key.name) } }
        }
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }
}
