import ArgumentParser
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

    // What nexusctl has heard from the running nexusd.
    @Option(help: .hidden) var running: [String] = []
    @Option(help: .hidden) var changed: [String] = []
    @Option(help: .hidden) var moved: [String] = []
    @Option(help: .hidden) var from: [String] = []
    @Option(help: .hidden) var to: [String] = []
    @Option(help: .hidden) var choice: String?
    @Option(help: .hidden) var refused: String?
    @Flag(help: .hidden) var differs = false
    @Flag(help: .hidden) var removed = false
    @Flag(help: .hidden) var asked = false
    @Option(help: .hidden) var complete: String?

    func run() throws {
        if let complete { return try Output.show(KeyPaths(complete).lines) }
        guard let key else { return try Output.show(sections) }
        let name = config ?? Defaults().config
        let bytes = SupervisorFile.read(Defaults.absolute(name))
        do {
            let explanation = try Explanation(key, in: bytes.map { ($0, name) }, evenIfMissing: removed)
            let text = ExplanationText(explanation: explanation, running: asked ? heard : nil)
            try Output.show(json ? text.json : text.text)
        } catch let unwritten as Unwritten {
            throw unwritten
        } catch {
            throw Refusal(words: "nexus-config: \(error)")
        }
    }

    private var heard: Running {
        var running = Running()
        for word in self.running { take(word) { running.settings[$0] = $1 } }
        running.changed = Set(changed)
        for name in moved { running.moved[name] = Running.Move(from: "", to: "") }
        for word in from { take(word) { running.moved[$0]?.from = $1 } }
        for word in to { take(word) { running.moved[$0]?.to = $1 } }
        running.choice = choice
        running.refusal = refused
        running.differs = differs
        running.isRemoved = removed
        return running
    }

    private func take(_ word: String, _ body: (String, String) -> Void) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        body(String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
    }

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
