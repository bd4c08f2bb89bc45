import SupervisorCore
import System
import Wire

extension Engine {
    /// Control clients at a time.
    static let clientLimit = 64
    /// Of these, of one uid other than root and nexusd's own.
    static let clientsPerUser = 16
    /// Of these, kept free for root and nexusd's own uid.
    static let clientsKept = 8

    func acceptClients() {
        // Bounded: a crowd at the door must not keep the children waiting.
        for _ in 0..<16 {
            guard disposal.backlog < Disposal.limit, !knocks.isCrowded(at: now) else {
                return listener.rest(surroundings.poller, at: now)
            }
            guard let socket = listener.accept(kernel, surroundings.poller, at: now) else { return }
            admit(socket)
        }
    }

    private func admit(_ socket: consuming OwnedFD) {
        guard let credentials = try? kernel.peerCredentials(socket) else { return }
        let groups = credentials.user == 0 ? [] : (try? kernel.peerGroups(socket)) ?? []
        switch access.judge(credentials, groups: groups) {
        case .failure(let refusal): turnAway(socket, credentials, .refused, refusal.words)
        case .success(let access):
            if self.access.mustAskForProcess(credentials), let owner = owner(of: credentials.process) {
                let why = "pid \(credentials.process) belongs to \(owner), and children use the bus"
                return turnAway(socket, credentials, .refused, why)
            }
            if let why = crowd(of: credentials.user) { return turnAway(socket, credentials, .busy, why) }
            guard let peer = router.clientUp(uid: credentials.user, mayAddressWorkers: access == .control) else {
                return turnAway(socket, credentials, .busy, "the router has no number for a client; try again")
            }
            if credentials.user != 0, credentials.user != self.access.own { knocks.knock(at: now) }
            let client = ControlClient(peer, socket, credentials, groups: groups, access, at: now)
            clients[peer] = client
            try? surroundings.poller.add(client.socket, token: EventSource.client(peer.rawValue).token)
            // The hello and the first request are mostly there already.
            serveClient(peer, .readable)
        }
    }

    /// Why there is no room for one more client of this uid, and what to do; nil: there is.
    private func crowd(of user: UInt32) -> String? {
        let remedy = "end some (`nexusctl … -f` and --watch hold one each) and try again"
        let isOwn = user == 0 || user == access.own
        let limit = isOwn ? Self.clientLimit : Self.clientLimit - Self.clientsKept
        if clients.count >= limit {
            let silent = clients.values.count { $0.name == nil }
            let those =
                silent > 0
                ? ", \(silent) of which have not said hello and are closed \(ControlClient.patience.words) after they came"
                : ""
            let whose = isOwn ? "" : " for all but root"
            return "\(clients.count) clients are connected, which is the limit\(whose)\(those): \(remedy)"
        }
        guard !isOwn,
            clients.values.count(where: { $0.credentials.user == user }) >= Self.clientsPerUser
        else { return nil }
        return "\(Self.clientsPerUser) clients of uid \(user) are connected, which is the limit for one user: \(remedy)"
    }

    /// Where children run under nexusd's own uid only their descent tells them from the owner: nexusd is the subreaper,
    /// so whatever any of them starts stays below it. Nil for a stranger; where it cannot be told, nobody is let in.
    private func owner(of process: ProcessID) -> String? {
        let own = kernel.processID()
        // Number 0: it lives in a pid namespace that is not below ours, so it is none of ours.
        guard process != own, process.rawValue > 0 else { return nil }
        for _ in 0..<Self.descentTries {
            switch descent(of: process, below: own) {
            case .known(let owner): return owner
            case .stranger: return nil
            case .broken: continue
            case .tooDeep: return "a line of more than \(Self.descentLimit) processes"
            }
        }
        return "a process whose descent cannot be told"
    }

    /// What a walk up the parents of a process says.
    private enum Descent {
        case known(String)
        case stranger
        /// A process on the way ended while it was looked at.
        case broken
        case tooDeep
    }

    private func descent(of process: ProcessID, below own: ProcessID) -> Descent {
        var next = process
        for _ in 0..<Self.descentLimit {
            guard let entry = ProcessTable.entry(next, kernel) else {
                return next == process ? .known("a process that is gone") : .broken
            }
            if let child = processes[entry.process] ?? processes[entry.session] { return .known(names[child]) }
            if entry.parent == own { return .known("the tree") }
            guard entry.parent.rawValue > 1 else { return .stranger }
            next = entry.parent
        }
        return .tooDeep
    }

    /// Generations that are looked through.
    private static let descentLimit = 64
    /// Walks, each after one that met a process that ended: a child could end some on purpose.
    private static let descentTries = 4

    /// Says why, and closes.
    private func turnAway(_ socket: consuming OwnedFD, _ peer: Credentials, _ code: BusErrorCode, _ why: String) {
        knocks.knock(at: now)
        let frame = Frame(.error, peer: .nexusd, id: .none, payload: code.payload(why)).bytes
        partings.say(frame, to: socket, kernel, at: now)
        guard let untold = refusals.take(at: now) else { return }
        let more = RefusalMeter.words(untold)
        say(
            LogEvent(
                .refused, 4, "A control client was refused, uid \(peer.user), pid \(peer.process): \(why).\(more)", nil,
                nil,
                [
                    LogEvent.Field(name: "CLIENT_UID", value: String(peer.user)),
                    LogEvent.Field(name: "CLIENT_PID", value: peer.process.description),
                ]))
    }
}
