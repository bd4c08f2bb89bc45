import Chat
import ChatWeb
import Foundation
import WorkerKit

/// Keeps the conversations: takes messages from control clients and from the page that it serves, stores them, has
/// agent-worker answer them.
@main
struct ChatBridge {
    static func main() async {
        await Worker.run(name: "chat-bridge") { bus in
            let workspaces = try workspaces(ProcessInfo.processInfo.environment)
            let retention = try retention(ProcessInfo.processInfo.environment)
            let store = try open(ProcessInfo.processInfo)
            let status = StatusLine(store: store, bus: bus)
            let word = try WordOut(ProcessInfo.processInfo.environment, store, bus)
            let hub = EventHub(store: store) { word?.book.hear($0) }
            let ceiling = try ceiling(ProcessInfo.processInfo.environment)
            let runner = TurnRunner(
                store: store, hub: hub, agent: AgentOnTheBus(bus: bus), ceiling: ceiling, complain: { Log.warning($0) },
                changed: { status.tell($0) })
            try await store.clearAttachments()
            let left = try await runner.begin()
            if left.interrupted > 0 {
                Log.warning("\(left.interrupted) turn(s) interrupted: \(TurnRunner.restartReason)")
            }
            if left.queued > 0 { Log.notice("\(left.queued) message(s) wait for the agent") }

            let service = ChatService(
                store: store, hub: hub, runner: runner, workspaces: workspaces,
                attachments: try attachments(ProcessInfo.processInfo.environment))
            let web = try WebFront.make(ProcessInfo.processInfo.environment, store, service, bus, word) {
                status.tell($0)
            }
            let desk = ChatDesk(
                service: service, web: web,
                keeping: KeepingDesk(store: store) {
                    bus.finish()
                    exit(0)
                })
            bus.onDrain { await runner.stop() }
            bus.serve { request, responder in await desk.answer(request, responder) }
            bus.ready()
            status.tell(await runner.summary)
            await runner.agentIs(.here)
            let serving = Task { await web?.run() }
            let keeping = Task {
                await service.keepTo(retention) {
                    Log.notice("\($0) session(s) deleted, as [chat] max-age and total want it")
                }
            }
            defer { keeping.cancel() }
            let telling = Task { await word?.run() }
            await follow(bus, runner)
            // Cancelled: by SIGTERM without a drain word before it, too.
            await Task { await runner.stop() }.value
            serving.cancel()
            telling.cancel()
            await serving.value
            await telling.value
        }
    }

    /// Without the variable there is none.
    private static func ceiling(_ environment: [String: String]) throws -> DailyCeiling {
        guard let json = environment["NEXUS_AGENT"] else { return DailyCeiling() }
        guard let ceiling = DailyCeiling(json: json) else {
            throw Worker.ConfigurationError(
                "NEXUS_AGENT is not what {agent} gives: set it to that in [child.chat-bridge], or leave it out")
        }
        return ceiling
    }

    /// Without the variable only messages that name no workspace are taken: what is stored was checked.
    private static func workspaces(_ environment: [String: String]) throws -> Workspaces {
        guard let json = environment["NEXUS_WORKSPACES"] else { return Workspaces(names: nil) }
        guard let workspaces = Workspaces(json: json) else {
            throw Worker.ConfigurationError(
                "NEXUS_WORKSPACES is not a JSON array of {\"name\",\"path\"} with at least one element: set it to "
                    + "{workspaces} in [child.chat-bridge]")
        }
        return workspaces
    }

    private static func attachments(_ environment: [String: String]) throws -> AttachmentLimits {
        guard let json = environment["NEXUS_CHAT_KEEP"] else { return AttachmentLimits() }
        guard let limits = AttachmentLimits(json: json) else {
            throw Worker.ConfigurationError(
                "NEXUS_CHAT_KEEP is not what {chat-keep} gives: set it to that, or leave it out")
        }
        return limits
    }

    /// Without the variable everything is kept.
    private static func retention(_ environment: [String: String]) throws -> Retention {
        guard let json = environment["NEXUS_CHAT_KEEP"] else { return Retention() }
        guard let retention = Retention(json: json) else {
            throw Worker.ConfigurationError(
                "NEXUS_CHAT_KEEP is not what {chat-keep} gives: set it to that, or leave it out")
        }
        return retention
    }

    /// The store in `--directory DIR`, or where Supervisor.toml's `state-directory` says.
    private static func open(_ process: ProcessInfo) throws -> ChatStore {
        let arguments = process.arguments.dropFirst()
        var directory = process.environment["STATE_DIRECTORY"]
        if let first = arguments.first {
            guard first == "--directory", arguments.count == 2 else {
                throw Worker.ConfigurationError("usage: chat-bridge [--directory DIR]")
            }
            directory = arguments.last
        }
        guard let directory, directory.hasPrefix("/") else {
            throw Worker.ConfigurationError(
                "no place for the conversations: set state-directory = \"chat\" in [child.chat-bridge]")
        }
        let store: ChatStore
        do {
            store = try ChatStore(directory: directory)
        } catch let refusal as StoreRefusal {
            throw Worker.ConfigurationError(refusal.description)
        }
        if let damage = store.damage {
            Log.warning(
                "the conversations in \(store.path) were damaged (\(damage)); the file is kept as \(store.movedAside ?? "?"), "
                    + "a new one begun")
        } else if let aside = store.movedAside {
            Log.notice("a damaged store is still kept as \(aside); take it away when you do not want it any more")
        }
        if let lost = store.lostLog { Log.warning(lost) }
        if store.hasNewIndex { Log.warning("the index for searching was damaged and was made anew; no text is lost") }
        return store
    }

    private static func follow(_ bus: Bus, _ runner: TurnRunner) async {
        for await event in bus.events() {
            guard case .peer(_, AgentOnTheBus.worker, let isUp) = event else { continue }
            await runner.agentIs(
                isUp ? .here : .away("\(AgentOnTheBus.worker) is not running; stored messages wait for it"))
        }
    }
}
