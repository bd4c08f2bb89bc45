import Foundation
import OpenCode
import WorkerKit

/// The only client of opencode: answers chat-bridge and control clients on the bus, keeps the connection to opencode,
/// and reports how opencode is.
@main
struct AgentWorker {
    /// The child whose `port` it is told and whose health it reports.
    static let agentChild = "opencode"

    static func main() async {
        await Worker.run(name: "agent-worker") { bus in
            let settings = try Settings(ProcessInfo.processInfo.environment)
            let (looks, look) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
            let connection = AgentConnection(try CurlLoop(), policy: settings.policy) { state in
                Log.info(state.words)
                bus.status(state.words)
                // What was said while it began is not to stand until the next round. Only of what is good news: a complaint for
                // each attempt to connect would soon be as many in a row as end the run.
                if case .ready = state { look.yield() }
            }
            let turns = Turns {
                do { try await bus.recycle(agentChild) } catch {
                    Log.info("\(agentChild) is not recycled yet: \(error)")
                }
            }
            let desk = AgentDesk(connection: connection, workspaces: settings.workspaces, turns: turns)
            bus.serve { request, responder in await desk.answer(request, responder) }
            // It serves from here on; that opencode is not there yet is said in words, not by being unready.
            bus.ready()
            bus.status(await connection.current.words)
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await follow(bus, connection, settings) { look.yield() } }
                group.addTask {
                    for await case .recycle(child: agentChild) in bus.events() { await turns.wantRecycling() }
                }
                group.addTask { await keepLooking { look.yield() } }
                group.addTask { await Watchdog.feed { _ = await connection.current } }
                group.addTask {
                    for await _ in looks {
                        await reportHealth(bus, connection)
                        // For how long it has not answered grows.
                        bus.status(await connection.current.words)
                    }
                }
                await group.waitForAll()
            }
        }
    }

    /// Tells the connection where opencode listens, each time it says so.
    private static func follow(
        _ bus: Bus, _ connection: AgentConnection, _ settings: Settings, changed: () -> Void
    ) async {
        for await values in bus.valueUpdates() {
            let port = values["\(agentChild).port"].flatMap(UInt16.init)
            await connection.update(
                port.map {
                    AgentEndpoint(
                        port: $0, user: settings.user, password: settings.password, owner: settings.agentUID)
                })
            changed()
        }
    }

    private static func keepLooking(_ look: () -> Void) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Limits.healthPause)
            look()
        }
    }

    private static func reportHealth(_ bus: Bus, _ connection: AgentConnection) async {
        switch await connection.health() {
        case .unknown: break
        case .healthy: bus.health(of: agentChild, healthy: true)
        case .unhealthy(let why): bus.health(of: agentChild, healthy: false, why: why)
        }
    }
}
