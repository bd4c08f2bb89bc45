/// One run of cloudflared, as far as it was seen.
struct TunnelRun: Hashable, Sendable {
    let id: String
    let transport: TunnelMachine.Transport
    let since: Duration
    var connections = 0
    var wasConnected = false
    /// Since when none stands, after some did.
    var lost: Duration?
    /// When the default route came back during this run.
    var networkReturned: Duration?
    /// It is managed from the dashboard, and nothing came from there yet.
    var waitsForConfiguration: Bool
    /// Looks in a row at which it answered, and its rules could not be read.
    var unreadRules = 0
    /// The edge's words.
    var refusal: String?
    var refusals = 0
    var suggestsHTTP2 = false
    /// The public address led here once.
    var outsideWorked = false
    /// Then it did not, so many times in a row.
    var outsideMisses = 0

    func state(_ mode: TunnelMode, hasNetwork: Bool, originAnswers: Bool) -> TunnelState {
        // http2 keeps its connections as ready for 150 s after the cable is out: the route is believed before them.
        if !hasNetwork { return .noNetwork }
        guard connections > 0 else {
            if let refusal { return .credentialsRefused(refusal) }
            return wasConnected ? .reconnecting(.said) : .starting
        }
        if waitsForConfiguration { return .waitingForConfiguration }
        if !originAnswers { return .originDown }
        if outsideWorked, outsideMisses > 1 { return .reconnecting(.silent) }
        let standing = TunnelState.Connections(min(connections, mode.connections), of: mode.connections)
        return connections >= mode.connections ? .connected(standing) : .degraded(standing)
    }
}

extension TunnelMachine {
    mutating func see(_ child: TunnelChild, _ now: Duration) -> [Action] {
        if case .running = child {} else { stray = nil }
        switch child {
        case .running(let id): return runs(id, now)
        case .down(let end, let next): return isDown(end, next, now)
        case .off(let run):
            lastEnd = run ?? lastEnd
            switch phase {
            case .off, .settingsRefused, .held: break
            // Orders of our own were carried out before this was seen: somebody else stopped it.
            case .asked, .running, .down: phase = .held(.command)
            }
            return []
        }
    }

    private mutating func runs(_ id: String, _ now: Duration) -> [Action] {
        switch phase {
        case .off, .settingsRefused, .held(.network), .held(.exposure), .held(.opening), .held(.credentials),
            .held(.tooMany):
            // Started by its name, where nothing lies for a start: it says so and ends, and its words are to be heard.
            if let stray, stray.run == id { return now - stray.since >= patience.stray ? [.stop] : [] }
            stray = Stray(run: id, since: now)
            return []
        // Who stopped it by its name may start it by its name: what lies there for a start was looked at.
        case .held(.command):
            if let opening { return hold(.opening(opening)) }
            if !hasNetwork { return hold(.network) }
            phase = .running(newRun(id, .auto, now))
        case .asked where id == leaving: break
        case .asked(let transport): phase = .running(newRun(id, transport, now))
        case .down: phase = .running(newRun(id, .auto, now))
        case .running(let run): if run.id != id { phase = .running(newRun(id, run.transport, now)) }
        }
        return []
    }

    func newRun(_ id: String, _ transport: Transport, _ now: Duration) -> TunnelRun {
        // Only a token tunnel is managed from the dashboard; its first configuration comes after it registered.
        TunnelRun(id: id, transport: transport, since: now, waitsForConfiguration: mode == .token)
    }

    private static let portRestartLimit = 2

    private mutating func isDown(
        _ end: TunnelChild.End?, _ next: TunnelState.NextTry, _ now: Duration
    ) -> [Action] {
        let isNews = end.map { $0.run != lastEnd } ?? false
        lastEnd = end?.run ?? lastEnd
        switch phase {
        // Somebody started it by its name, and nexusd tries again what cannot be: there is nothing to start.
        case .off, .settingsRefused, .held(.network), .held(.exposure), .held(.opening), .held(.credentials),
            .held(.tooMany):
            return [.stop]
        case .held(.command): return []
        case .asked, .running: break
        case .down(let words, let former): if !isNews { phase = .down(words, next.after(former)) }
        }
        guard let end, isNews else { return [] }
        if !hasNetwork { return hold(.network) }
        // More asking makes it only longer.
        if end.isTooMany { return hold(.tooMany(end.words, until: now + patience.refused)) }
        phase = .down(end.words, next)
        // Somebody else took the port between the look and its start: nexusd would start it on the same one again.
        // A restart, not a start: nexusd's own may have come first, on the old port.
        // One after another that cannot be bound is nothing that haste mends: that is left to nexusd's delay.
        guard end.words.contains("address already in use"), portRestarts < Self.portRestartLimit else { return [] }
        portRestarts += 1
        return [.restart(.auto, why: "its metrics port was taken")]
    }

    mutating func measure(_ measurement: TunnelMeasurement?, _ excess: String?, _ now: Duration) -> [Action] {
        guard case .running(var run) = phase else { return [] }
        if let excess { return hold(.exposure(excess)) }
        if measurement != nil { portRestarts = 0 }
        run.connections = measurement?.connections ?? 0
        if let measurement { run.unreadRules = measurement.rules == nil ? run.unreadRules + 1 : 0 }
        // What nobody can look at may lead anywhere.
        guard run.unreadRules < patience.unreadRules else {
            return hold(.exposure("the rules in force cannot be read"))
        }
        if let rules = measurement?.rules { run.waitsForConfiguration = mode == .token && rules.areWaitedFor }
        run.refusals = measurement.map { $0.registered == 0 ? $0.refused : 0 } ?? run.refusals
        if run.connections > 0 {
            (run.wasConnected, run.lost, run.refusal) = (true, nil, nil)
        } else if run.wasConnected {
            run.lost = run.lost ?? now
        }
        phase = .running(run)
        // One that waits for its configuration too: no new start brings that.
        if run.connections > 0 { return run.unreadRules > 0 ? [] : [.healthy] }
        return judgeRefusals(run, now)
    }

    mutating func hear(_ fact: LogTail.Fact, _ now: Duration) -> [Action] {
        guard case .running(var run) = phase else { return [] }
        switch fact {
        case .refused(let words): if run.connections == 0 { run.refusal = words }
        case .suggestsHTTP2: run.suggestsHTTP2 = true
        }
        phase = .running(run)
        return judgeRefusals(run, now)
    }

    /// One refusal may be the edge's own trouble; two in a row without a registration are meant.
    private mutating func judgeRefusals(_ run: TunnelRun, _ now: Duration) -> [Action] {
        guard hasNetwork, run.connections == 0, run.refusals >= 2 else { return [] }
        if let words = run.refusal {
            return hold(.credentials(words, until: now + patience.refused))
        }
        switch run.transport {
        case .auto:
            (phase, leaving) = (.asked(.http2), run.id)
            return [.restart(.http2, why: "the edge refuses it, and only http2 says why")]
        case .http2:
            guard now - run.since >= patience.reason else { return [] }
            return hold(.credentials("the edge gives no reason", until: now + patience.refused))
        }
    }

    mutating func outside(_ answers: Bool) -> [Action] {
        guard case .running(var run) = phase, run.connections > 0, !run.waitsForConfiguration else { return [] }
        run.outsideWorked = run.outsideWorked || answers
        run.outsideMisses = answers ? 0 : run.outsideMisses + 1
        phase = .running(run)
        // What never led here is a matter of DNS or of rules at Cloudflare; what did, and the chat answers, is the tunnel.
        guard run.outsideWorked, origin.answers, hasNetwork, run.outsideMisses >= patience.outsideMisses else {
            return []
        }
        (phase, leaving) = (.asked(.auto), run.id)
        return [.restart(.auto, why: "it calls itself connected, and the public address does not lead here any more")]
    }

    mutating func tick(_ now: Duration) -> [Action] {
        switch phase {
        case .off, .settingsRefused, .asked, .down, .held(.network), .held(.command), .held(.exposure), .held(.opening):
            return []
        case .held(.credentials(_, let until)), .held(.tooMany(_, let until)):
            return now < until ? [] : begin(.auto).map { [$0] } ?? []
        case .running(let run):
            let isBlocked = run.suggestsHTTP2 && run.transport == .auto && !run.wasConnected
            if hasNetwork, isBlocked, now - run.since >= patience.blockedUDP {
                (phase, leaving) = (.asked(.http2), run.id)
                return [.restart(.http2, why: "UDP does not get through")]
            }
            guard hasNetwork, let lost = run.lost else { return [] }
            var deadline = lost + patience.stuck
            if let returned = run.networkReturned, returned >= lost {
                deadline = returned + patience.stuckAfterReturn
            }
            guard now >= deadline else { return [] }
            (phase, leaving) = (.asked(run.transport), run.id)
            return [.restart(run.transport, why: "stuck: the network is there, and no connection comes back")]
        }
    }
}
