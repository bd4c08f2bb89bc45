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
            let environment = ProcessInfo.processInfo.environment
            let settings = try Settings(environment)
            let (store, isReady) = try await StoreOpening.open(ProcessInfo.processInfo, bus)
            let status = StatusLine(store: store, bus: bus)
            store.onTrouble { status.tell(trouble: $0) }
            store.onLastingTrouble { why in
                if let why { Log.warning(why) } else { Log.notice("the store can be written again") }
            }
            let word = try WordOut(environment, store, bus)
            let tunnel = TunnelName()
            let hub = EventHub(store: store) { word?.book.hear($0) }
            let runner = TurnRunner(
                store: store, hub: hub, agent: AgentOnTheBus(bus: bus), ceiling: settings.ceiling,
                complain: { Log.warning($0) },
                changed: { status.tell($0) })
            let keepingFiles = Task { await FileWatch.run(store, status) }
            defer { keepingFiles.cancel() }
            let stray = try await store.clearAttachments()
            if stray > 0 {
                status.tell(stray: stray)
                Log.warning(
                    "\(stray) file(s) of messages in \(store.attachmentDirectory) are of no message of \(store.path), which was begun "
                        + "anew where they lay: they stay. Put the store back that was there before, or remove them")
            }
            let left = try await runner.begin()
            if left.running > 0 { Log.notice("\(left.running) turn(s) go on that are with the agent") }
            if left.queued > 0 { Log.notice("\(left.queued) message(s) wait for the agent") }

            let service = ChatService(
                store: store, hub: hub, runner: runner, workspaces: settings.workspaces,
                attachments: settings.attachments)
            let page = PageWord(status)
            let web = WebFront.make(environment, store, service, bus, word, tunnel) { page.hear($0) }
            let memory = TunnelMemory(in: (store.path as NSString).deletingLastPathComponent)
            let ear = TunnelEar(bus: bus, name: tunnel, book: word?.book, memory: memory) { web?.hear(of: $0) }
            let desk = ChatDesk(
                service: service, web: web,
                keeping: KeepingDesk(store: store) { await startAnew(bus) }, bus: bus)
            bus.onDrain { await runner.stop() }
            bus.serve { request, responder in await desk.answer(request, responder) }
            let serving = Task { await web?.run() }
            // Who waits for chat-bridge to be ready finds its page, or why there is none.
            if web != nil { await page.first() }
            if !isReady { bus.ready() }
            status.tell(await runner.summary)
            await runner.agentIs(.here)
            let keeping = Task {
                await service.keepTo(settings.retention) {
                    Log.notice("\($0) session(s) deleted, as [chat] max-age and total want it")
                } doubt: { why in
                    status.tell(clock: why)
                    if let why { Log.warning(why) } else { Log.notice("the clock is believed again: max-age counts") }
                }
            }
            defer { keeping.cancel() }
            let watching = Task { await store.keepWatch() }
            defer { watching.cancel() }
            let asking = Task { await runner.keepAsking() }
            defer { asking.cancel() }
            // One that stands still in a turn has no time for this; a disk that does is no reason to begin anew.
            let living = Task { await Watchdog.feed { _ = await runner.summary } }
            defer { living.cancel() }
            let telling = Task { await word?.run() }
            let hearing = Task { await ear.run() }
            defer { hearing.cancel() }
            await follow(bus, runner)
            // Cancelled: by SIGTERM without a drain word before it, too.
            // Where the link has ended nexusd was killed, and the agent goes on under the next one.
            await Task { await runner.stop(leavingTurns: bus.isClosed) }.value
            serving.cancel()
            telling.cancel()
            await serving.value
            await telling.value
        }
    }

    /// nexusd ends this run by drain and stop, behind every answer that was given, and begins another: not a failure. Where
    /// it does not (it is stopping itself), the end is this process's own.
    private static func startAnew(_ bus: Bus) async {
        do {
            try await bus.restart()
        } catch {
            Log.warning("nexusd does not start chat-bridge anew: \(error); it ends by itself")
            bus.finish()
            exit(0)
        }
    }

    private static func follow(_ bus: Bus, _ runner: TurnRunner) async {
        for await event in bus.events() {
            guard case .peer(_, AgentOnTheBus.worker, let isUp) = event else { continue }
            await runner.agentIs(
                isUp ? .here : .away("\(AgentOnTheBus.worker) is not running; stored messages wait for it"))
        }
    }
}
