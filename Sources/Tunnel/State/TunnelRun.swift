/// One run of cloudflared, as far as it was seen.
struct TunnelRun: Hashable, Sendable {
    let id: String
    let transport: TunnelMachine.Transport
    let since: Duration
    var connections = 0
    var wasConnected = false
    /// All stood once, or the time for that is over: fewer are no part of the start any more.
    var isPastStart = false
    /// When the first connection stood.
    var connected: Duration?
    /// Since when none stands, after some did.
    var lost: Duration?
    /// The end of the run before it that nobody asked for; nil since it connected.
    var after: TunnelMachine.TunnelChild.End?
    /// When the default route, or what is beyond it, came back during this run.
    var networkReturned: Duration?
    /// When a connection of our own got to the edge first after that.
    var edgeAnswered: Duration?
    /// Its metrics port answers.
    var isHeard = false
    /// It did: before that it may not have opened it yet, and connects to nobody.
    var wasHeard = false
    /// Its process is stopped (state T).
    var isSuspended = false
    /// It is managed from the dashboard, and nothing came from there yet.
    var waitsForConfiguration: Bool
    /// Looks in a row at which its rules could not be read, whatever the reason.
    var unreadRules = 0
    /// The edge's words.
    var refusal: String?
    var refusals = 0
    var suggestsHTTP2 = false
    /// The public address led here once.
    var outsideWorked = false
    /// The edge said, so many times in a row, that it does not carry.
    var outsideMisses = 0
    /// Looks through the public address in a row that found no page of this machine's.
    var outsideFailures = 0
    /// It led here, and the last look got no answer at all: its connections may only seem to stand.
    var isUnreached = false

    func state(_ seen: TunnelMachine) -> TunnelState {
        let mode = seen.mode
        // http2 keeps its connections as ready for 150 s after the cable is out: the route is believed before them.
        if !seen.hasNetwork { return .noNetwork }
        guard connections > 0 else {
            if let refusal { return .credentialsRefused(refusal) }
            if !seen.hasUplink { return .noUplink }
            if wasConnected { return .reconnecting(isHeard ? .said : .unheard) }
            return after.map { .crashed(exit: $0.words, next: .again) } ?? .starting
        }
        if isUnreached, !seen.hasUplink { return .noUplink }
        if waitsForConfiguration { return .waitingForConfiguration }
        if !seen.origin.answers { return .originDown }
        if outsideWorked, outsideMisses > 1 { return .reconnecting(.silent) }
        let standing = TunnelState.Connections(min(connections, mode.connections), of: mode.connections)
        if connections >= mode.connections { return .connected(standing) }
        return isPastStart ? .degraded(standing) : .connecting(standing)
    }
}

extension TunnelRun {
    /// When no connection is too long ago; nil: one stands, or the first is left to the child's start timeout.
    func deadline(_ patience: Patience, _ mode: TunnelMode) -> Duration? {
        guard connections == 0 else { return nil }
        let missed = lost ?? since
        // What a short outage took is often missed only after it.
        guard let returned = networkReturned, returned + patience.stuckAfterReturn >= missed else {
            return lost.map { $0 + patience.stuck }
        }
        let limit = max(returned, missed) + patience.stuckAfterReturn
        // Its own waits have grown meanwhile, to 40 s, and a fresh start connects in a second; a quick tunnel's loses its name.
        guard mode != .quick, let edgeAnswered else { return limit }
        return min(limit, max(edgeAnswered, missed) + patience.unconnectedAfterReturn)
    }
}

extension TunnelMachine {
    /// Whether Cloudflare answers is the question: no connection of cloudflared's tells, or what one says is in doubt.
    public var asksForUplink: Bool {
        switch phase {
        case .running(let run): hasNetwork && (run.connections == 0 || run.isUnreached)
        case .down, .held(.uplink), .held(.names): hasNetwork
        case .off, .settingsRefused, .asked, .held(.network), .held(.command), .held(.exposure), .held(.opening),
            .held(.credentials), .held(.later):
            false
        }
    }

    /// The way out is back, and whether it leads to the edge is not known yet: the look for it is not to wait.
    public var awaitsEdge: Bool {
        guard asksForUplink, hasUplink, case .running(let run) = phase else { return false }
        return run.networkReturned != nil && run.edgeAnswered == nil
    }

    /// What cannot reach anybody is no fault of its own: it goes on trying, and neither nexusd nor we count that against it.
    mutating func uplink(_ answers: Bool, _ now: Duration) -> [Action] {
        guard asksForUplink else { return [] }
        let isNews = answers != hasUplink
        let isBack = answers && isNews
        hasUplink = answers
        switch phase {
        case .held(.uplink): return answers ? begin(.auto).map { [$0] } ?? [] : []
        case .held(.names):
            // Names among it: cloudflared's tries would only say so again.
            if !answers, isNews { phase = .held(.names(until: now + patience.uplink)) }
            return isBack ? begin(.auto).map { [$0] } ?? [] : []
        // It gives up with 1 where no name is resolved. (Where only TCP is kept from the edge it is tried all the same.)
        case .down(let end, _):
            return answers || end.kind != .gaveUp ? [] : hold(.uplink(until: now + patience.uplink))
        case .running(var run):
            if isBack {
                (run.networkReturned, run.edgeAnswered) = (now, nil)
                // What was looked at meanwhile says nothing of the address.
                run.outsideFailures = 0
            }
            if answers, run.networkReturned != nil { run.edgeAnswered = run.edgeAnswered ?? now }
            phase = .running(run)
            // Its start timeout would end it; what it exposes was looked at.
            return answers || !run.isHeard || run.unreadRules > 0 ? [] : [.healthy]
        case .off, .settingsRefused, .asked, .held(.network), .held(.command), .held(.exposure), .held(.opening),
            .held(.credentials), .held(.later):
            return []
        }
    }

    /// Connections to the edge that stand, as far as cloudflared says; none where this machine has no way out.
    public var connections: Int {
        guard hasNetwork, hasUplink, case .running(let run) = phase else { return 0 }
        return min(run.connections, mode.connections)
    }

    mutating func see(_ child: TunnelChild, _ now: Duration) -> [Action] {
        if case .running = child {} else { stray = nil }
        switch child {
        case .running(let id, let end): return runs(id, after: end, now)
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

    private mutating func runs(_ id: String, after end: TunnelChild.End?, _ now: Duration) -> [Action] {
        let isNews = end.map(isNews) ?? false
        lastEnd = end?.run ?? lastEnd
        switch phase {
        case .off, .settingsRefused, .held(.network), .held(.uplink), .held(.names), .held(.exposure), .held(.opening),
            .held(.credentials), .held(.later):
            // Started by its name, where nothing lies for a start: it says so and ends, and its words are to be heard.
            if let stray, stray.run == id { return now - stray.since >= patience.stray ? [toStop] : [] }
            stray = Stray(run: id, since: now)
            return []
        // Who stopped it by its name may start it by its name: what lies there for a start was looked at.
        case .held(.command):
            if let opening { return hold(.opening(opening)) }
            if !hasNetwork { return hold(.network) }
            phase = .running(newRun(id, .auto, now, after: nil))
        case .asked where id == leaving: break
        case .asked(let transport): phase = .running(newRun(id, transport, now, after: end))
        case .down(let known, _): phase = .running(newRun(id, .auto, now, after: end ?? known))
        case .running(var run) where run.id == id:
            if isNews { run.after = end }
            phase = .running(run)
        case .running(let run): phase = .running(newRun(id, run.transport, now, after: end))
        }
        // nexusd was faster than the look at that end: the next run would end as it did.
        guard let end, isNews, hasNetwork, case .running(let run) = phase, run.connections == 0 else { return [] }
        return holdAfter(end, now) ?? []
    }

    /// It ended since the last look, or it is known only now why: its last lines may come a moment after its end.
    private func isNews(_ end: TunnelChild.End) -> Bool {
        let known: TunnelChild.End? =
            switch phase {
            case .down(let known, _): known
            case .running(let run): run.after
            case .off, .settingsRefused, .held, .asked: nil
            }
        return end.run != lastEnd || known.map { $0.run == end.run && $0 != end } ?? false
    }

    /// Nil: what follows from such an end is nexusd's.
    private mutating func holdAfter(_ end: TunnelChild.End, _ now: Duration) -> [Action]? {
        switch end.kind {
        // More asking makes it only longer.
        case .tooMany: hold(.later(end.words, until: now + patience.refused))
        case .noNames: holdForNames(now)
        case .portTaken, .gaveUp, .notStarted, .other: nil
        }
    }

    func newRun(
        _ id: String, _ transport: Transport, _ now: Duration, after end: TunnelChild.End?, isPastStart: Bool = false
    ) -> TunnelRun {
        // Only a token tunnel is managed from the dashboard; its first configuration comes after it registered.
        TunnelRun(
            id: id, transport: transport, since: now, isPastStart: isPastStart, after: end, wasHeard: isPastStart,
            waitsForConfiguration: mode == .token)
    }

    private static let portRestartLimit = 2

    private mutating func isDown(
        _ end: TunnelChild.End?, _ next: TunnelState.NextTry, _ now: Duration
    ) -> [Action] {
        let isNews = end.map(isNews) ?? false
        lastEnd = end?.run ?? lastEnd
        switch phase {
        // Somebody started it by its name, and nexusd tries again what cannot be: there is nothing to start.
        case .off, .settingsRefused, .held(.network), .held(.uplink), .held(.names), .held(.exposure), .held(.opening),
            .held(.credentials), .held(.later):
            return [.stop]
        // Who stopped it by its name has started it so, and it ended before it was looked at.
        case .held(.command), .asked, .running: break
        case .down(let known, let former): if !isNews { phase = .down(known, next.after(former)) }
        }
        guard let end, isNews else { return [] }
        if !hasNetwork { return hold(.network) }
        if let actions = holdAfter(end, now) { return actions }
        phase = .down(end, end.kind == .notStarted ? .whenMended : next)
        // Somebody else took the port between the look and its start: nexusd would start it on the same one again.
        // A restart, not a start: nexusd's own may have come first, on the old port.
        // One after another that cannot be bound is nothing that haste mends: that is left to nexusd's delay.
        guard end.kind == .portTaken, portRestarts < Self.portRestartLimit else { return [] }
        portRestarts += 1
        return [.restart(.auto, why: "its metrics port was taken")]
    }

    /// No restart of nexusd's is spent on a machine whose resolver is gone.
    private mutating func holdForNames(_ now: Duration) -> [Action] {
        guard hasUplink else { return hold(.names(until: now + patience.uplink)) }
        let wait = min(patience.names * (1 << nameTries), patience.namesLimit)
        if wait < patience.namesLimit { nameTries += 1 }
        return hold(.names(until: now + wait))
    }

    /// In place of the run that is there.
    private mutating func startAnew(
        _ run: TunnelRun, _ transport: Transport, _ why: String, _ now: Duration
    ) -> [Action] {
        (phase, leaving) = (.asked(transport), run.id)
        anew = Anew(why: why, at: now)
        return [.restart(transport, why: why)]
    }

    mutating func measure(_ measurement: TunnelMeasurement?, _ excess: String?, _ now: Duration) -> [Action] {
        guard case .running(var run) = phase else { return [] }
        if let excess { return hold(.exposure(excess)) }
        if measurement != nil { (portRestarts, silentRestarts) = (0, 0) }
        run.connections = measurement?.connections ?? 0
        run.isHeard = measurement != nil
        run.wasHeard = run.wasHeard || run.isHeard
        // http2's seem to stand for 150 s after the line is cut.
        if run.connections > 0, !run.isUnreached { hasUplink = true }
        // A process that is stopped carries nothing.
        if !run.isSuspended { run.unreadRules = measurement?.rules == nil ? run.unreadRules + 1 : 0 }
        // What nobody can look at may lead anywhere.
        guard run.unreadRules < patience.unreadRules else {
            return run.isHeard ? hold(.exposure("the rules in force cannot be read")) : giveUpSilent(run, now)
        }
        if let rules = measurement?.rules { run.waitsForConfiguration = mode == .token && rules.areWaitedFor }
        run.refusals = measurement.map { $0.registered == 0 ? $0.refused : 0 } ?? run.refusals
        if run.connections > 0 {
            (run.wasConnected, run.lost, run.refusal, run.after) = (true, nil, nil, nil)
            let connected = run.connected ?? now
            run.connected = connected
            run.isPastStart =
                run.isPastStart || run.connections >= mode.connections || now - connected >= patience.whole
            nameTries = 0
        } else if run.wasConnected {
            run.lost = run.lost ?? now
        }
        phase = .running(run)
        // One that waits for its configuration too: no new start brings that.
        if run.connections > 0 { return run.unreadRules > 0 ? [] : [.healthy] }
        return judgeRefusals(run, now)
    }

    /// It may be this machine that is too busy to answer: another run is let show what it leads to, and where that does not help
    /// the way is shut for a while, not for good.
    private mutating func giveUpSilent(_ run: TunnelRun, _ now: Duration) -> [Action] {
        let why = "it does not answer on its metrics port, so that nobody knows what it leads to"
        guard silentRestarts >= Self.silentRestartLimit else {
            silentRestarts += 1
            return startAnew(run, run.transport, why, now)
        }
        phase = .held(.later(why, until: now + patience.refused))
        return [.end]
    }

    private static let silentRestartLimit = 2

    mutating func unopened(_ now: Duration) -> [Action] {
        guard case .running(let run) = phase, run.wasHeard else { return [] }
        return measure(nil, nil, now)
    }

    mutating func suspend(_ isSuspended: Bool) -> [Action] {
        guard case .running(var run) = phase else { return [] }
        run.isSuspended = isSuspended
        phase = .running(run)
        return []
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
            return startAnew(run, .http2, "the edge refuses it, and only http2 says why", now)
        case .http2:
            guard now - run.since >= patience.reason else { return [] }
            return hold(.credentials("the edge gives no reason", until: now + patience.refused))
        }
    }

    mutating func outside(_ look: OutsideLook, _ now: Duration) -> [Action] {
        guard case .running(var run) = phase, run.connections > 0, !run.waitsForConfiguration, origin.answers else {
            return []
        }
        run.outsideWorked = run.outsideWorked || look == .here
        run.outsideMisses = look == .lost ? run.outsideMisses + 1 : 0
        run.outsideFailures = [.here, .anothers].contains(look) ? 0 : run.outsideFailures + 1
        run.isUnreached = look == .unreached && run.outsideWorked
        phase = .running(run)
        // What never led here is a matter of DNS or of rules at Cloudflare; what did, and the chat answers, is the tunnel.
        guard run.outsideWorked, hasNetwork, run.outsideMisses >= patience.outsideMisses else {
            return []
        }
        return startAnew(
            run, .auto, "it calls itself connected, and the public address does not lead here any more", now)
    }

    mutating func tick(_ now: Duration) -> [Action] {
        switch phase {
        case .off, .settingsRefused, .asked, .down, .held(.network), .held(.command), .held(.exposure), .held(.opening):
            return []
        case .held(.credentials(_, let until)), .held(.later(_, let until)), .held(.uplink(let until)),
            .held(.names(let until)):
            return now < until ? [] : begin(.auto).map { [$0] } ?? []
        case .running(let run):
            let isBlocked = run.suggestsHTTP2 && run.transport == .auto && !run.wasConnected
            if hasNetwork, hasUplink, isBlocked, now - run.since >= patience.blockedUDP {
                return startAnew(run, .http2, "UDP does not get through", now)
            }
            guard hasNetwork, hasUplink, let deadline = run.deadline(patience, mode), now >= deadline else { return [] }
            let why =
                run.isHeard
                ? "the network is there, and no connection comes back" : "it does not answer on its metrics port"
            return startAnew(run, run.transport, "stuck: \(why)", now)
        }
    }
}
