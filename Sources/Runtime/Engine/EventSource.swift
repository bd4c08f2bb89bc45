import SupervisorCore

/// Everything the loop listens to, packed into the 64 bits that epoll hands back.
///
/// A source that belongs to a run carries the run's count as its generation: what epoll still reports in the same
/// batch for a run that was replaced meanwhile is recognised and left alone.
enum EventSource: Hashable, Sendable {
    /// The signalfd.
    case signals
    /// The control socket's listener.
    case listener
    /// A control client, by its number on the bus.
    case client(UInt16)
    /// A child's NOTIFY_SOCKET, which outlives its runs.
    case notify(ChildID)
    /// The fd on which a child says that it is ready.
    case readyDescriptor(ChildID, Generation)
    /// How far a run got between its clone and its exec.
    case launch(ChildID, Generation)
    /// What a worker writes.
    case busInput(ChildID, Generation)
    /// What a worker reads; only while something waits for it.
    case busOutput(ChildID, Generation)
    /// cgroup.events of a run.
    case population(ChildID, Generation)
    /// A probe under way.
    case probe(ChildID, Generation)
    /// The main process of a run that an earlier nexusd started: nobody here is told of its end but by its pidfd.
    case adopted(ChildID, Generation)
    /// The link to log-writer.
    case logLink(Generation)
    /// log-writer's own stderr.
    case logWriterErrors(Generation)
    /// Something new is in the pipes that log-writer reads.
    case outputs
    /// The wall clock was set, or the machine has slept.
    case clock
    /// nexus-config's stdout: the plan.
    case planOutput
    /// nexus-config's stderr: the diagnostics.
    case planDiagnostics
    /// What the next program says of a hand-over.
    case upgradeCheck
    /// Threads that are done (`Disposal`).
    case disposal

    /// The lower 24 bits of a run's count.
    struct Generation: Hashable, Sendable {
        let rawValue: UInt32

        init(_ run: RunID) { rawValue = UInt32(run.rawValue & 0xFF_FFFF) }

        fileprivate init(token: UInt64) { rawValue = UInt32(token >> 32 & 0xFF_FFFF) }
    }

    /// Kind in the top byte, then the generation, then the number.
    var token: UInt64 {
        switch self {
        case .signals: Self.pack(.signals)
        case .listener: Self.pack(.listener)
        case .client(let number): Self.pack(.client, number)
        case .notify(let child): Self.pack(.notify, child.rawValue)
        case .readyDescriptor(let child, let run): Self.pack(.readyDescriptor, child.rawValue, run)
        case .launch(let child, let run): Self.pack(.launch, child.rawValue, run)
        case .busInput(let child, let run): Self.pack(.busInput, child.rawValue, run)
        case .busOutput(let child, let run): Self.pack(.busOutput, child.rawValue, run)
        case .population(let child, let run): Self.pack(.population, child.rawValue, run)
        case .probe(let child, let run): Self.pack(.probe, child.rawValue, run)
        case .adopted(let child, let run): Self.pack(.adopted, child.rawValue, run)
        case .logLink(let run): Self.pack(.logLink, 0, run)
        case .logWriterErrors(let run): Self.pack(.logWriterErrors, 0, run)
        case .outputs: Self.pack(.outputs)
        case .clock: Self.pack(.clock)
        case .planOutput: Self.pack(.planOutput)
        case .planDiagnostics: Self.pack(.planDiagnostics)
        case .disposal: Self.pack(.disposal)
        case .upgradeCheck: Self.pack(.upgradeCheck)
        }
    }

    /// Nil for a token that no source makes.
    init?(token: UInt64) {
        guard let kind = Kind(rawValue: UInt8(token >> 56)) else { return nil }
        let number = UInt16(truncatingIfNeeded: token)
        let child = ChildID(rawValue: number)
        let run = Generation(token: token)
        switch kind {
        case .signals: self = .signals
        case .listener: self = .listener
        case .client: self = .client(number)
        case .notify: self = .notify(child)
        case .readyDescriptor: self = .readyDescriptor(child, run)
        case .launch: self = .launch(child, run)
        case .busInput: self = .busInput(child, run)
        case .busOutput: self = .busOutput(child, run)
        case .population: self = .population(child, run)
        case .probe: self = .probe(child, run)
        case .adopted: self = .adopted(child, run)
        case .logLink: self = .logLink(run)
        case .logWriterErrors: self = .logWriterErrors(run)
        case .outputs: self = .outputs
        case .clock: self = .clock
        case .planOutput: self = .planOutput
        case .planDiagnostics: self = .planDiagnostics
        case .disposal: self = .disposal
        case .upgradeCheck: self = .upgradeCheck
        }
    }

    private enum Kind: UInt8 {
        // 0 stays free: a token that was never set is then no source.
        case signals = 1
        case listener, client, notify, readyDescriptor, busInput, busOutput, population, probe, logLink
        case logWriterErrors, planOutput, planDiagnostics, clock, disposal, outputs, launch, adopted, upgradeCheck
    }

    private static func pack(_ kind: Kind, _ number: UInt16 = 0, _ run: Generation? = nil) -> UInt64 {
        UInt64(kind.rawValue) << 56 | UInt64(run?.rawValue ?? 0) << 32 | UInt64(number)
    }
}
