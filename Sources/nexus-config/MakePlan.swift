import ArgumentParser
import Glibc
import NexusConfiguration
import Plan

/// `nexus-config plan`: what nexusd runs.
struct MakePlan: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Writes the encoded plan to standard output, for nexusd.",
        discussion: "Makes the directories that children need and keeps the plan as last-good in the state directory.")

    @Option(help: "Supervisor.toml.") var config: String
    @Option(help: "The state directory.") var state: String
    @Option(help: "The runtime directory.") var runtime: String
    @Option(help: "Where bare program names are looked up first.") var bin: String

    @Flag(help: "Changes nothing on disk.") var dryRun = false
    @Flag(help: "Makes the directories, and keeps and writes no plan.") var directories = false

    func run() throws {
        let places = Places(
            config: Defaults.absolute(config), name: config, state: Defaults.absolute(state),
            runtime: Defaults.absolute(runtime), bin: Defaults.absolute(bin))
        let store = PlanStore(state: places.state)
        var plan: Plan
        let kept: [UInt8]
        var passing: [String]
        do {
            let configured = try SupervisorFile.load(places)
            if directories { return try tell(store.make(configured.directories)) }
            plan = configured.plan
            passing = configured.passing.filter(\.matters).map(\.words)
            passing += try ChoiceBook(store).apply(to: &plan, mayRepair: !dryRun)
            kept = plan.children.contains { $0.choice != nil } ? plan.encoded() : configured.encoded
            if !dryRun { passing += try store.make(configured.directories) }
        } catch let error as PlanStore.Failure {
            throw Refusal(words: "nexus-config: \(error)")
        } catch {
            throw Refusal(words: "\(error)")
        }
        // Of this moment, and none of what is kept: a start from last-good would find them true for ever.
        let notes = (dryRun ? [] : keep(kept, in: store)) + passing
        plan.notes += notes
        try Output.write(notes.isEmpty ? kept : plan.encoded(), to: STDOUT_FILENO)
    }

    private func tell(_ remarks: [String]) throws {
        for words in remarks { try Output.write(Array("\(words)\n".utf8), to: STDERR_FILENO) }
    }

    /// What there is to say about it.
    private func keep(_ plan: [UInt8], in store: PlanStore) -> [String] {
        do {
            try store.keep(plan)
            return []
        } catch {
            // The tree can run without it; whoever relies on --last-good must learn of it.
            return ["the plan is not kept as last-good: \(error)"]
        }
    }
}
