import Foundation
import Synchronization
import WorkerKit

/// What an answer needs, as the worker of the agent, and the agent. nexusd is asked why they do not answer, because only it
/// knows whether one of them was stopped by command or given up.
final class AgentChain: Sendable {
    /// Names in Supervisor.toml; a tree may lack some of them.
    private let names: [String]
    /// What was heard is good for so long: a message that waits asks four times a second.
    private static let age: Duration = .seconds(1)
    /// nexusd answers from memory; one that does not says nothing here.
    private static let limit: Duration = .seconds(2)

    private struct Tree: Decodable {
        struct Child: Decodable {
            var name: String
            var state: String
            var choice: String?
        }
        var children: [Child]
    }

    private let bus: Bus
    private let heard = Mutex<(at: ContinuousClock.Instant, children: [Tree.Child])?>(nil)

    init(_ bus: Bus, names: [String] = [AgentOnTheBus.worker, "opencode"]) {
        self.bus = bus
        self.names = names
    }

    /// `opencode is off: stopped by command; nexusctl start opencode`, of the first that does not come back by itself; nil
    /// when there is none, and when nexusd does not say.
    func obstacle() async -> String? {
        let children = await self.children()
        return names.lazy.compactMap { name in children.first { $0.name == name } }.compactMap(Self.words).first
    }

    /// True for one that somebody stopped, also while it is still ending.
    func isStopped(_ name: String) async -> Bool {
        await children().contains { $0.name == name && $0.choice == "off" }
    }

    private func children() async -> [Tree.Child] {
        if let known = heard.withLock({ $0 }), known.at.duration(to: .now) < Self.age { return known.children }
        let answer = try? await bus.ask("status", timeout: Self.limit)
        let children = answer.flatMap { try? JSONDecoder().decode(Tree.self, from: Data($0)) }?.children ?? []
        heard.withLock { $0 = (.now, children) }
        return children
    }

    private static func words(_ child: Tree.Child) -> String? {
        switch (child.state, child.choice) {
        case ("off", "off"): "\(child.name) is off: stopped by command; nexusctl start \(child.name)"
        case ("off", _): "\(child.name) is off; nexusctl start \(child.name)"
        case ("parked", _): "\(child.name) is given up; nexusctl why \(child.name)"
        case (_, _): nil
        }
    }
}
