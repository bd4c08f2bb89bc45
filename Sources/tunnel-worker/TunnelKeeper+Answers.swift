import Foundation
import QR
import Tunnel
import Wire
import WorkerKit

/// How the tunnel is, for `nexusctl tunnel status`.
struct TunnelDescription: Encodable, Sendable {
    var type = "tunnel"
    var mode: TunnelMode
    /// What `start` would take.
    var mode_when_on: TunnelMode
    /// By command; false: by Supervisor.toml.
    var chosen_by_command: Bool
    var state: String
    var words: String
    var connections: Int
    var connections_wanted: Int
    var url: String?
    /// Of a quick tunnel: another one after each start.
    var url_lasts: Bool
    var program: String?
    var version: String?
    var metrics_port: UInt16?
    var complaint: String?
    var new_program: Bool
    /// Of a change that came through the tunnel: seconds until it is undone, and to what mode that leads.
    var trial_left: Int64?
    var trial_back: TunnelMode?
    /// Who can reach the page, in words.
    var reach: String
}

/// Where the page is reached from outside.
struct AddressLine: Encodable, Sendable {
    var type = "address"
    var url: String
    /// False: another one after each start.
    var lasts: Bool
    /// Rows of a QR code with it, `1` is dark.
    var qr: [String]
}

/// The tunnel has another address.
struct AddressEvent: Encodable, Sendable {
    var event = "address"
    var url: String
    /// False: of a quick tunnel.
    var url_lasts: Bool
}

/// What was found on the way of a visitor.
struct ChainReport: Encodable, Sendable {
    var type = "check"
    var good: Bool
    /// The first hop, from the machine outwards, that does not carry.
    var failing: String?
    var hops: [Hop]

    struct Hop: Encodable, Sendable {
        var hop: String
        var good: Bool
        var words: String
    }
}

extension TunnelKeeper {
    func description() -> TunnelDescription {
        let state = machine.state
        return TunnelDescription(
            mode: wanted, mode_when_on: choice.mode ?? workshop.settings.mode, chosen_by_command: choice != .none,
            state: state.name, words: words,
            connections: state.connections?.count ?? 0, connections_wanted: wanted.connections, url: address,
            url_lasts: wanted != .quick, program: preparation?.program.path,
            version: preparation?.program.version.description, metrics_port: preparation?.metrics.port,
            complaint: complaint, new_program: hasNewProgram, trial_left: trialLeft,
            trial_back: trialLeft == nil ? nil : choice.former?.wanted(workshop.settings.mode), reach: reach)
    }

    /// Refused while there is none.
    func addressLine() throws(BusError) -> AddressLine {
        guard let address else { throw BusError(.failed, "there is no address: \(machine.state.words)") }
        return AddressLine(url: address, lasts: wanted != .quick, qr: QRCode.rows(of: address))
    }

    /// Browsers come by what is said here, and each of them has to be let in.
    private var reach: String {
        let near = "where `[chat] listen` is reached"
        let outside: String
        if case .off = machine.state {
            // A proxy of the owner's may lead there.
            outside = workshop.settings.url.isEmpty ? near : "\(near), and by \(workshop.settings.url)"
        } else if let address, machine.state.connections != nil || machine.state == .originDown {
            outside = "from anywhere at \(address), and \(near)"
        } else {
            return "nobody from outside; browsers that were let in (nexusctl pair) \(near)"
        }
        return "browsers that were let in (nexusctl pair): \(outside)"
    }

    /// A choice of an owner: tried first, kept when it is good.
    func change(
        isOn: Bool, mode word: String?, over approach: TunnelApproach = .near
    ) async throws(TunnelError) {
        try await enterByCommand()
        defer { gate.leave() }
        var next = choice
        next.isOn = isOn
        if let word {
            next.mode = word == "file" ? nil : try TunnelMode.of(word)
            next.isOn = true
        }
        let mode = next.isOn ? next.mode ?? workshop.settings.mode : .off
        if next.isOn, mode == .off, word == nil {
            throw TunnelError("no way is chosen: nexusctl tunnel mode quick, named or token")
        }
        if mode != .off { try await workshop.check(mode) }
        next = await onTrial(next, over: approach)
        try next.write(in: workshop.directory)
        choice = next
        damage = nil
        if let error = await follow() { throw error }
        show()
        wake.yield()
    }

    func enterByCommand() async throws(TunnelError) {
        guard !gate.isFull else { throw TunnelError("too many changes of the tunnel are under way: ask again") }
        await enter()
    }

    /// From the machine outwards; the first hop that does not carry is the one to mend.
    func check() async -> ChainReport {
        let agent = await agentVerdict()
        guard machine.chosen != .off, let address else {
            let tunnel = ChainCheck.Verdict(false, machine.state.words)
            return report([("agent", agent), ("tunnel", tunnel)])
        }
        let chain = ChainCheck(url: address, socket: workshop.settings.chatSocket, edge: pace.edge)
        let bridge = await chain.bridge()
        let now = await preparation?.metrics.measure()
        let connections = now?.connections ?? 0
        let tunnel = ChainCheck.Verdict(
            connections > 0,
            connections > 0
                ? "\(connections) of \(machine.chosen.connections) connections to the edge stand" : machine.state.words)
        return report([("agent", agent), ("bridge", bridge), ("tunnel", tunnel), ("edge", await chain.outside())])
    }

    private func report(_ hops: [(String, ChainCheck.Verdict)]) -> ChainReport {
        ChainReport(
            good: hops.allSatisfy(\.1.isGood), failing: hops.first { !$0.1.isGood }?.0,
            hops: hops.map { .init(hop: $0.0, good: $0.1.isGood, words: $0.1.words) })
    }

    /// What agent-worker says about the agent, as nexusd has it.
    private func agentVerdict() async -> ChainCheck.Verdict {
        struct Answer: Decodable {
            var state: String
            var health: String?
        }
        guard let payload = try? await bus.ask("status opencode"),
            let answer = try? JSONDecoder().decode(Answer.self, from: Data(payload))
        else { return .init(false, "nexusd knows of no child opencode") }
        guard answer.state == "ready" else { return .init(false, "opencode is \(answer.state): nexusctl why opencode") }
        if let health = answer.health, health.hasPrefix("unhealthy") { return .init(false, "opencode is \(health)") }
        return .init(true, "opencode is ready" + (answer.health.map { " and \($0)" } ?? ""))
    }
}

extension TunnelState {
    /// Those that stand.
    var connections: Connections? {
        switch self {
        case .connected(let connections), .degraded(let connections): connections
        case .off, .settingsRefused, .stopped, .starting, .waitingForConfiguration, .reconnecting, .credentialsRefused,
            .noNetwork, .originDown, .exposesMoreThanTheChat, .crashed:
            nil
        }
    }
}
