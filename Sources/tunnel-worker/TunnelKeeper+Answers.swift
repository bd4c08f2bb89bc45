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
    /// What Supervisor.toml says, whatever a command chose.
    var mode_of_file: TunnelMode
    /// `[chat] url` leads through the tunnel, on or off.
    var owns_url: Bool
    /// By command; false: by Supervisor.toml.
    var chosen_by_command: Bool
    var state: String
    var words: String
    /// tunnel-worker has stopped a cloudflared that crashed, and starts it after so many minutes.
    var held_minutes: Int?
    var connections: Int
    var connections_wanted: Int
    var url: String?
    /// Of a quick tunnel: another one after each start.
    var url_lasts: Bool
    /// Now, by state and rules.
    var url_leads: Bool
    /// What this machine's own looks find there instead of its page. Visitors may come by it all the same: somebody in front asks
    /// who comes, or our looks alone are kept from it.
    var url_doubt: String?
    var program: String?
    var version: String?
    var metrics_port: UInt16?
    var complaint: String?
    /// Why tunnel-worker started it anew on its own account, for a while after that.
    var started_anew: String?
    var new_program: Bool
    /// Another file lies there which is not taken, and why.
    var program_refused: String?
    var program_gone: Bool
    /// It is down for want of a program that may be started.
    var waits_for_program: Bool
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

/// The tunnel is in another state, or leads elsewhere: who goes by it asks for the description.
struct TunnelEvent: Encodable, Sendable {
    var event = "tunnel"
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
            mode: inForce, mode_when_on: choice.mode ?? workshop.settings.mode,
            mode_of_file: workshop.settings.mode, owns_url: ownsURL, chosen_by_command: choice.isByCommand,
            state: state.name, words: words, held_minutes: state.heldMinutes,
            connections: machine.connections, connections_wanted: inForce.connections, url: address,
            url_lasts: inForce != .quick, url_leads: leads, url_doubt: leads ? doubt : nil,
            program: preparation?.program?.path,
            version: preparation?.program?.version.description, metrics_port: preparation?.metrics.port,
            complaint: complaint, started_anew: machine.whyAnew(at: now), new_program: programOnDisk.isAnother,
            program_refused: programOnDisk.refusal, program_gone: programOnDisk == .gone,
            waits_for_program: machine.waitsForProgram,
            trial_left: trialLeft, trial_back: trialLeft == nil ? nil : choice.former?.wanted(workshop.settings.mode),
            reach: reach)
    }

    /// Refused while there is none.
    func addressLine() throws(BusError) -> AddressLine {
        guard let address, leads else { throw BusError(.failed, "there is no address: \(words)") }
        return AddressLine(url: address, lasts: inForce != .quick, qr: QRCode.rows(of: address))
    }

    /// Browsers come by what is said here, and each of them has to be let in.
    private var reach: String {
        let near = "at the address of `[chat] listen`"
        let outside: String
        switch machine.state {
        case .off:
            // A proxy of the owner's may lead there, where no tunnel would.
            let url = ownsURL ? "" : workshop.settings.url
            outside = url.isEmpty ? near : "\(near), and by \(url)"
        case .exposesMoreThanTheChat where childPID != nil:
            return "whomever its rules let in, until cloudflared has ended; browsers that were let in \(near)"
        case _ where machine.isUnread:
            return "not known from outside, for the rules in force are not read; browsers that were let in \(near)"
        case .originDown:
            return "nobody now: the chat does not answer" + (farNames.map { "; \($0) would lead here" } ?? "")
        case _:
            guard let far = farNames else {
                return "nobody from outside; browsers that were let in (nexusctl pair) \(near)\(refusedNames)"
            }
            outside = "from anywhere at \(far), and \(near)\(refusedNames)"
        }
        return "browsers that were let in (nexusctl pair): \(outside)"
    }

    /// A tunnel that can be chosen by command needs the address as much as one that is.
    private var ownsURL: Bool { choice.mode?.ownsURL == true || workshop.settings.ownsURL }

    /// By what names people come through the tunnel that stands: all that its rules lead here, also those that are a pattern.
    private var farNames: String? {
        guard machine.state.connections != nil || machine.state == .originDown else { return nil }
        let own = (leads ? address : nil).map { [$0 + outsideDoubt] } ?? []
        return Self.listed(own + otherNames.filter(isServed))
    }

    /// Those that its rules lead here too, and that the page is not served by: it answers to the name of `[chat] url` alone.
    private var refusedNames: String {
        guard machine.state.connections != nil, let names = Self.listed(otherNames.filter { !isServed($0) }) else {
            return ""
        }
        return "; the page turns away who comes by \(names): it answers to \(workshop.settings.url) only"
    }

    /// Beside the address; of a part of a name its paths stand behind it.
    private var otherNames: [String] {
        guard machine.chosen != .quick, let rules = measurement?.rules else { return [] }
        let chat = workshop.settings.chatSocket
        return rules.patterns(chatSocket: chat).filter { $0 != host } + rules.parts(chatSocket: chat)
    }

    private func isServed(_ name: String) -> Bool {
        let bare = name.prefix { $0 != " " }.lowercased()
        return workshop.settings.url.isEmpty || [host, workshop.settings.hostname].contains(bare)
    }

    private static func listed(_ names: [String]) -> String? {
        names.isEmpty
            ? nil
            : names.prefix(namesSaid).joined(separator: ", ")
                + (names.count > namesSaid ? " and \(names.count - namesSaid) more" : "")
    }

    /// About the address, when this machine's own looks find something else there.
    private var outsideDoubt: String {
        guard machine.addressFails, let seenOutside else { return "" }
        return seenOutside.look == .asked
            ? " (where something in front asks who comes)" : " (which this machine's own looks do not get to)"
    }

    /// A dashboard may push as many as it likes.
    private static let namesSaid = 20

    /// A choice of an owner: tried first, kept when it is good.
    func change(
        isOn: Bool, mode word: String?, over approach: TunnelApproach = .near
    ) async throws(TunnelError) {
        try await enterByCommand()
        defer { gate.leave() }
        var next = choice
        next.isOn = isOn
        next.halt = nil
        do throws(TunnelError) {
            if let word {
                next.mode = word == "file" ? nil : try TunnelMode.of(word)
                next.isOn = true
            }
            let mode = next.isOn ? next.mode ?? workshop.settings.mode : .off
            if next.isOn, mode == .off, word == nil {
                let file = workshop.settings.mode
                throw TunnelError(
                    "mode: none is chosen: nexusctl tunnel mode quick, named or token"
                        + (file == .off ? "" : ", or file, which says \(file.rawValue)"))
            }
            if mode != .off { try await workshop.check(mode) }
            next = await onTrial(next, over: approach)
            // Who wants out gets out, also where that cannot be written.
            if mode == .off {
                if isTrialNew(next) { try? workshop.keepFormer() }
            } else {
                if isTrialNew(next) { try workshop.keepFormer() }
                try next.write(in: workshop.directory)
            }
        } catch {
            throw TunnelError("\(error); nothing was changed, \(machine.whatGoesOn)")
        }
        (choice, damage, unwritten) = (next, nil, nil)
        if wanted == .off { writeChoice() }
        if let error = await follow() {
            let rest = machine.isUp ? "what ran before goes on" : "nothing runs"
            throw TunnelError("\(error); the choice is kept and tried again each 30 s, meanwhile \(rest)")
        }
        show()
        wake.yield()
    }

    private func isTrialNew(_ next: TunnelChoice) -> Bool { next.trial != nil && choice.trial == nil }

    func enterByCommand() async throws(TunnelError) {
        guard !gate.isFull else { throw TunnelError("too many changes of the tunnel are under way: ask again") }
        await enter()
    }

    /// From the machine outwards; the first hop that does not carry is the one to mend.
    func check() async -> ChainReport {
        async let agent = agentVerdict()
        let chat = workshop.settings.chatSocket
        let here = host ?? workshop.settings.hostname ?? "localhost"
        let bridge =
            (try? await bus.ask("status \(Self.bridge)")) == nil
            ? ChainCheck.Verdict(false, "not there: nexusd knows of no child \(Self.bridge)")
            : await ChainCheck(url: "https://" + here, socket: chat, edge: pace.edge).bridge()
        let standing = machine.isUp ? await preparation?.metrics.measure()?.connections ?? 0 : 0
        let tunnel = tunnelVerdict(standing)
        // Between two runs nothing leads anywhere, and the address is asked of nobody. The next run may stand before that is seen.
        let isRunning = machine.isUp && (standing > 0 || !machine.state.isCrashed)
        let edge =
            if isRunning, let address {
                await ChainCheck(url: address, socket: chat, edge: pace.edge).outside()
            } else {
                ChainCheck.Verdict(
                    false,
                    isRunning
                        ? "not there: the tunnel runs, and there is no public address yet"
                        : "not there: as long as no tunnel runs there is no public address")
            }
        return report([("agent", await agent), ("bridge", bridge), ("tunnel", tunnel), ("edge", edge)])
    }

    /// - Parameter connections: that stand now.
    private func tunnelVerdict(_ connections: Int) -> ChainCheck.Verdict {
        guard machine.isUp else { return .init(false, "not there: \(stateWords)") }
        // What cloudflared calls its connections does not stand then.
        if [.noNetwork, .noUplink].contains(machine.state) { return .init(false, stateWords) }
        return connections > 0
            ? .init(true, "\(connections) of \(machine.chosen.connections) connections to the edge stand")
            : .init(false, machine.state.words)
    }

    private func report(_ hops: [(String, ChainCheck.Verdict)]) -> ChainReport {
        ChainReport(
            good: hops.allSatisfy(\.1.isGood), failing: hops.first { !$0.1.isGood }?.0,
            hops: hops.map { .init(hop: $0.0, good: $0.1.isGood, words: $0.1.words) })
    }

    /// What agent-worker says about the agent: as nexusd has it, and asked by the chat, as a turn would reach it.
    private func agentVerdict() async -> ChainCheck.Verdict {
        let known = ChainCheck.Verdict.agent(
            opencode: try? await bus.ask("status opencode"), worker: try? await bus.ask("status agent-worker"))
        guard known.isGood else { return known }
        return known.agent(
            asked: try? await bus.request(Self.bridge, Array(#"{"op":"agent"}"#.utf8), timeout: Self.hopLimit))
    }

    /// Longer than chat-bridge waits for agent-worker.
    private static let hopLimit: Duration = .seconds(5)
}

extension CloudflaredProgram.OnDisk {
    fileprivate var isAnother: Bool { if case .another = self { true } else { false } }

    fileprivate var refusal: String? { if case .refused(let words) = self { words } else { nil } }
}

extension TunnelState {
    fileprivate var isCrashed: Bool { if case .crashed = self { true } else { false } }

    fileprivate var heldMinutes: Int? { if case .crashed(_, .held(let minutes)) = self { minutes } else { nil } }

    /// Those by which it carries: one is enough for who comes, also while the others are on their way.
    var connections: Connections? {
        switch self {
        case .connecting(let connections), .connected(let connections), .degraded(let connections): connections
        case .off, .settingsRefused, .stopped, .starting, .waitingForConfiguration, .reconnecting, .credentialsRefused,
            .noNetwork, .noUplink, .noNames, .originDown, .exposesMoreThanTheChat, .crashed:
            nil
        }
    }
}
