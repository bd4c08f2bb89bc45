/// Why a run ends: because the core ended it, or to be judged by how it exits.
package enum Verdict: Hashable, Sendable {
    /// The core ends it, for this cause; its exit changes nothing about that.
    case given(Cause)
    /// It asked for a new run itself. The cause is `asked`; the restart rule decides as after a failure.
    case wished
    /// It ends by itself.
    case byExit

    /// The cause of the end record.
    func cause(of exit: Exit?, under rule: ExitRule) -> Cause {
        switch self {
        case .given(let cause): cause
        case .wished: .asked
        case .byExit: exit?.cause(under: rule) ?? .unknown
        }
    }

    /// True when the rest of the run gets the stop signal and its time; after a failure it is killed at once.
    var isPolite: Bool {
        switch self {
        case .byExit: false
        case .wished: true
        case .given(let cause): cause.isPlanned
        }
    }
}

extension Cause {
    /// True for ends that somebody wanted: they are not failures of the child and are not counted against it.
    var isPlanned: Bool {
        switch self {
        case .asked, .dependency, .recycled: true
        case .done, .config, .crash, .oom, .watchdog, .probe, .network, .unkillable, .unknown: false
        }
    }

    /// What a link that the bus broke may be ended for; anything else is a crash of the worker.
    var asLinkFailure: Cause {
        switch self {
        case .probe, .recycled, .oom: self
        case .done, .config, .crash, .watchdog, .network, .dependency, .asked, .unkillable, .unknown: .crash
        }
    }
}

extension Exit {
    /// The cause of an end that nobody asked for. `done` is a success code, whatever the restart rule makes of it.
    func cause(under rule: ExitRule) -> Cause {
        switch self {
        case .code(let code): return rule.cause(of: .code(code))
        case .signal(let signal, _, let oom): return oom ? .oom : rule.cause(of: .signal(signal))
        case .notExecuted(_, let errno): return Exit.transientErrors.contains(errno) ? .crash : .config
        case .unknown: return .unknown
        }
    }

    /// errno(3) numbers, the same on every Linux architecture Nexus builds for, that may pass by themselves: EINTR, EIO,
    /// EAGAIN, ENOMEM, EBUSY, ENFILE, EMFILE, ETXTBSY, ENOSPC, ETIMEDOUT (not executed in time). All others need a person.
    private static let transientErrors: [Int32] = [4, 5, 11, 12, 16, 23, 24, 26, 28, 110]
}
