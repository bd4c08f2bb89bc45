/// The way to the agent that Nexus supervises: knows where it listens, which line it is, and whether it is there;
/// connects again after every loss, for ever.
public actor AgentConnection {
    /// How it stands, in order of progress.
    public enum State: Hashable, Sendable {
        /// opencode has not said yet on which port it listens.
        case waiting
        /// It said so, but cannot be used yet; the words say why.
        case connecting(String)
        /// An attempt came to nothing, or the connection was lost, for this reason; another one follows by itself.
        case retrying(String)
        /// Somebody else than opencode has its port; another attempt follows by itself.
        case foreign(String)
        /// It takes turns, or turned the last one away before it could see it, for this reason.
        case ready(AgentIdentity, turnsAway: String?)
        /// It was there and does not answer any more, since that time, though its port is open: it hangs, or is far too busy.
        case silent(AgentIdentity, since: ContinuousClock.Instant)
        /// It is there and cannot be used; the words say what to do.
        case unusable(String)

        /// One line for `nexusctl status`.
        public var words: String {
            switch self {
            case .waiting: "waiting for opencode to listen"
            case .connecting(let why): "connecting to opencode: \(why)"
            case .retrying(let why): "no connection to opencode: \(why); trying again"
            case .ready(let identity, nil): "connected to \(identity.product) \(identity.version)"
            case .ready(let identity, let why?):
                "\(identity.product) \(identity.version) is there and takes no message: \(why)"
            case .silent(let identity, let since):
                "\(identity.product) does not answer since \(Self.rounded(since.duration(to: .now))) s, though it listens: it hangs, "
                    + "and is restarted when that lasts; nexusctl restart opencode does it now"
            case .unusable(let why), .foreign(let why): why
            }
        }

        // Seconds; in steps, so that the words are not others each time somebody asks.
        private static func rounded(_ time: Duration) -> Int64 { time.components.seconds / 5 * 5 }
    }

    private let loop: CurlLoop
    private let onChange: @Sendable (State) -> Void
    private let timing: Timing
    private let policy: AnswerPolicy
    private(set) var state = State.waiting
    private var endpoint: AgentEndpoint?
    private var client: OpenCodeClient?
    private var work: Task<Void, Never>?
    /// Its events are read.
    private var isFollowed = false
    private var isSilent: Bool { if case .silent = state { true } else { false } }
    private var waiters: [CheckedContinuation<Void, Never>] = []

    /// What of `Limits` tests shorten.
    public struct Timing: Sendable {
        /// Pauses between attempts double from here…
        public var firstPause = Limits.firstPause
        /// …to here.
        public var longestPause = Limits.longestPause
        /// After something that does not change by itself soon.
        public var refusedPause = Limits.refusedPause
        /// Silence after which the event stream counts as dead; nil: three heartbeats of its line.
        public var silence: Duration?

        /// As in `Limits`.
        public init() {}
    }

    /// `onChange` is called for every new state, in order.
    public init(
        _ loop: CurlLoop, policy: AnswerPolicy = AnswerPolicy(), timing: Timing = Timing(),
        onChange: @escaping @Sendable (State) -> Void = { _ in }
    ) {
        self.loop = loop
        self.timing = timing
        self.policy = policy
        self.onChange = onChange
    }

    /// opencode listens there now, or nowhere. Called again with a place that is not reached yet, it tries at once.
    public func update(_ new: AgentEndpoint?) {
        if case .ready = state, new == endpoint { return }
        work?.cancel()
        if new != endpoint { retire("opencode was replaced by a new process. What it had written so far is kept.") }
        endpoint = new
        guard let new else { return change(.waiting) }
        if client == nil { change(.connecting("port \(new.port)")) }
        work = Task { await keepConnected(new) }
    }

    /// The agent, waiting up to `limit` for it. What cannot be used is said at once.
    public func readyClient(within limit: Duration = Limits.readyTime) async throws(AgentFailure) -> any AgentClient {
        let deadline = ContinuousClock.now + limit
        let alarm = Task {
            try? await Task.sleep(until: deadline)
            self.wake()
        }
        defer { alarm.cancel() }
        while true {
            switch state {
            case .ready: if let client { return client }
            // Not `refused`: it may be mended or be gone before long, and what waits in the chat goes then.
            case .unusable: throw AgentFailure(.unavailable, "\(state.words) Nothing was handed over.")
            case .waiting, .connecting, .retrying, .foreign, .silent: break
            }
            guard ContinuousClock.now < deadline, !Task.isCancelled else {
                throw AgentFailure(.unavailable, "\(state.words); nothing was handed over")
            }
            await nextChange()
        }
    }

    /// One look at whether it answers: nil when it does, else why not. `unknown` when there is no port to look at.
    public func health() async -> Health {
        guard let endpoint else { return .unknown }
        let start = ContinuousClock.now
        let why: String?
        if let client {
            why = await client.line.health()
            await heard(why, of: client, since: start)
        } else {
            why = await LineDetection.detect(loop, endpoint).complaint
        }
        return why.map(Health.unhealthy) ?? .healthy
    }

    /// A look that nothing answers, while no byte of the events came either, is what shows that it hangs.
    private func heard(_ why: String?, of looked: OpenCodeClient, since start: ContinuousClock.Instant) async {
        let last = await looked.lastHeard
        guard looked === client else { return }
        switch state {
        case .ready where why == HTTPFailure.timedOut.words && last < start:
            change(.silent(looked.identity, since: start))
        case .silent(let identity, _) where why == nil && isFollowed: change(.ready(identity, turnsAway: nil))
        case .waiting, .connecting, .retrying, .foreign, .ready, .silent, .unusable: break
        }
    }

    /// What a look at the health shows.
    public enum Health: Hashable, Sendable {
        case unknown, healthy
        case unhealthy(String)
    }

    /// Whoever is connected took a message, or made a session for one (nil); or turned it away before it could see it.
    public func turnsAway(_ why: String?) {
        if case .ready(let identity, _) = state { change(.ready(identity, turnsAway: why)) }
    }

    /// How it stands now.
    public var current: State { state }

    private func keepConnected(_ endpoint: AgentEndpoint) async {
        var backOff = timing.firstPause
        while true {
            let outcome = await attempt(endpoint)
            guard !Task.isCancelled else { return }
            var pause = backOff
            backOff = min(backOff * 2, timing.longestPause)
            switch outcome {
            case .wasConnected(let why):
                if !isSilent { change(.retrying(why)) }
                (pause, backOff) = (timing.firstPause, timing.firstPause)
            case .silent(let identity, let since): change(.silent(identity, since: since))
            case .notYet(let why): change(.retrying(why))
            case .ended(let why):
                retire("opencode ended while it was answering. What it had written so far is kept.")
                change(.retrying(why))
            case .foreign(let why):
                retire("opencode ended while it was answering. What it had written so far is kept.")
                change(.foreign(why))
            case .unusable(let why):
                change(.unusable(why))
                pause = timing.refusedPause
            }
            try? await Task.sleep(for: pause)
        }
    }

    /// How an attempt to connect, and what came of it, ended.
    private enum Outcome {
        case wasConnected(String)
        /// It was connected, and nothing is answered any more.
        case silent(AgentIdentity, since: ContinuousClock.Instant)
        case notYet(String)
        /// Nothing listens: the process that had the turns is gone for certain. Other failures may pass.
        case ended(String)
        case foreign(String)
        case unusable(String)
    }

    private func attempt(_ endpoint: AgentEndpoint) async -> Outcome {
        switch await LineDetection.detect(loop, endpoint) {
        case .v1(let version):
            let silence = timing.silence ?? Limits.streamSilence
            return await follow(V1Calls(loop: loop, endpoint: endpoint, silence: silence), version)
        case .v2(let version):
            let silence = timing.silence ?? Limits.streamSilenceV2
            return await follow(V2Calls(loop: loop, endpoint: endpoint, version: version, silence: silence), version)
        case .wrongPassword: return .unusable(AgentFailure.wrongPassword)
        case .foreign(let words): return .unusable(words)
        case .starting: return .notYet("it is starting")
        case .absent(.refused): return .ended(HTTPFailure.refused.words)
        case .absent(let failure) where failure.isForeign: return .foreign(failure.words)
        case .absent(.timedOut):
            guard let client else { return .notYet(HTTPFailure.timedOut.words) }
            if case .silent(let identity, let since) = state { return .silent(identity, since: since) }
            return .silent(client.identity, since: await client.lastHeard)
        case .absent(let failure): return .notYet(failure.words)
        }
    }

    private func follow(_ line: any OpenCodeLine, _ version: String) async -> Outcome {
        guard !Task.isCancelled else { return .notYet("") }
        let client = client(line, version)
        let failure = await client.follow { [identity = client.identity] in await self.connected(identity) }
        if !Task.isCancelled { isFollowed = false }
        if failure.code == .refused { return .unusable(failure.message) }
        if isSilent { return .wasConnected(failure.message) }
        guard case .ready = state else { return .notYet(failure.message) }
        guard failure.message == HTTPFailure.timedOut.words else { return .wasConnected(failure.message) }
        // Three heartbeats did not come.
        return .silent(client.identity, since: await client.lastHeard)
    }

    private func connected(_ identity: AgentIdentity) {
        isFollowed = !Task.isCancelled
        if !Task.isCancelled { change(.ready(identity, turnsAway: nil)) }
    }

    /// The same client across lost connections, so that its turns go on; a new one for another version.
    private func client(_ line: any OpenCodeLine, _ version: String) -> OpenCodeClient {
        if let client, client.identity.version == version { return client }
        retire("opencode was replaced by another version. What it had written so far is kept.")
        let new = OpenCodeClient(line, version: version, policy: policy)
        client = new
        return new
    }

    private func retire(_ words: String) {
        guard let old = client else { return }
        client = nil
        Task { await old.gone(words) }
    }

    private func change(_ new: State) {
        guard new != state else { return }
        state = new
        onChange(new)
        wake()
    }

    private func wake() {
        let waiting = waiters
        waiters = []
        for waiter in waiting { waiter.resume() }
    }

    private func nextChange() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiters.append($0) }
        } onCancel: {
            Task { await self.wake() }
        }
    }
}
