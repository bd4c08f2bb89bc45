import SupervisorCore
import System

/// One run of nexus-config. Bounded in time and bytes. Nothing here waits: the loop watches its two pipes, hears of the
/// reaped process, and calls `expire` at the deadline; it ends with exactly one outcome.
final class ConfigRun {
    /// From its start to its end.
    static let limit: Duration = .seconds(10)
    /// Bytes of diagnostics that are kept.
    static let diagnosticsLimit = 65_536
    /// Bytes of a plan.
    static let planLimit = 4 * 1024 * 1024

    /// What came of it.
    enum Outcome {
        case plan([UInt8], diagnostics: String)
        /// Exit status 2: the file is wrong, and the diagnostics say where.
        case refused(diagnostics: String)
        /// Anything else, in words that follow its name.
        case failed(String, diagnostics: String)
        /// nexusd was asked to stop.
        case stopped
    }

    private let surroundings: Surroundings
    private let kernel: any Kernel
    private let plan: Intake
    private let diagnostics: Intake
    let process: ProcessID
    private let pidfd: OwnedFD
    private let report: OwnedFD
    private let scope: any RunScope
    private var until: Instant
    private var exit: Exit?
    /// It is gone, and nobody will tell how it ended.
    private var isLost = false
    private var isStopped = false
    private var isLate = false
    /// It was killed, and is there still a moment later: it sleeps in the kernel.
    private(set) var outlivesKill = false

    /// One of its two pipes, and what came out of it.
    private final class Intake {
        let fd: OwnedFD
        let source: EventSource
        let limit: Int
        var bytes: [UInt8] = []
        /// More than the limit came; the rest is read and forgotten, so that the writer ends.
        var isOver = false
        var isOpen = true

        init(_ fd: consuming OwnedFD, _ source: EventSource, limit: Int) {
            self.fd = fd
            self.source = source
            self.limit = limit
        }
    }

    /// Between two looks whether one that was killed is still there.
    private static let reapPatience: Duration = .seconds(1)

    /// Starts it.
    init(_ surroundings: Surroundings, _ task: ConfigTask) throws(Errno) {
        self.surroundings = surroundings
        kernel = surroundings.kernel
        let out = try kernel.makePipe(blocking: .write)
        let err = try kernel.makePipe(blocking: .write)
        let null = try kernel.open("/dev/null", .readOnly, mode: 0)
        let image = try Self.image(surroundings, task, [null.raw, out.write.raw, err.write.raw])
        scope = try surroundings.containment.open(child: "nexus-config", run: surroundings.nextOwnRun())
        until = kernel.monotonic() + Self.limit
        let spawned: Spawned
        do { spawned = try surroundings.spawner.spawnOwn(image, in: scope) } catch {
            scope.close()
            throw error.error
        }
        process = spawned.process
        pidfd = spawned.pidfd
        report = spawned.report
        plan = Intake(out.read, .planOutput, limit: Self.planLimit)
        diagnostics = Intake(err.read, .planDiagnostics, limit: Self.diagnosticsLimit)
        do {
            for intake in [plan, diagnostics] { try surroundings.poller.add(intake.fd, token: intake.source.token) }
        } catch {
            try? kernel.signal(pidfd, .kill)
            scope.close()
            throw error
        }
    }

    private static func image(
        _ surroundings: Surroundings, _ task: ConfigTask, _ descriptors: [Int32]
    ) throws(Errno) -> SpawnImage {
        let binaries = try surroundings.binaries()
        var image = SpawnImage(
            executable: binaries + "/nexus-config",
            arguments: ["nexus-config"] + task.arguments(surroundings.directories, binaries: binaries),
            environment: ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG"].compactMap { name in
                surroundings.variable(name).map { name + "=" + $0 }
            } + ["\(LifeID.variable)=\(surroundings.life)"])
        image.descriptors = descriptors.enumerated().map { DescriptorMapping(source: $1, target: Int32($0)) }
        image.deathSignal = .kill
        return image
    }

    /// When `expire` is due: also for one that has ended, whose pipes may be held by what it started, or may not be heard.
    var deadline: Instant? { isOver ? nil : until }

    private var hasEnded: Bool { exit != nil || isLost }

    /// Its process is gone and its pipes are empty; after a kill they may be held by something it started.
    var isOver: Bool { hasEnded && (isLate || isStopped || !plan.isOpen && !diagnostics.isOpen) }

    /// Something can be read from one of its pipes.
    func take(_ source: EventSource) {
        switch source {
        case .planOutput: read(plan)
        case .planDiagnostics: read(diagnostics)
        case .signals, .clock, .listener, .client, .notify, .readyDescriptor, .busInput, .busOutput, .population,
            .launch, .probe, .adopted, .logLink, .logWriterErrors, .disposal, .outputs, .upgradeCheck:
            break
        }
    }

    /// Its process was reaped.
    func ended(_ process: EndedProcess) {
        exit = process.exit
        scope.ended(process)
    }

    /// Kills it when it takes too long.
    func expire(at now: Instant) {
        guard let deadline, deadline <= now else { return }
        outlivesKill = (isLate || isStopped) && !hasEnded
        giveUp(late: true)
    }

    /// Kills it: nexusd was asked to stop.
    func stop() { giveUp(late: false) }

    /// Leaves the loop, and tells what came of it; to be called once, when it is over.
    func finish() -> Outcome {
        for intake in [plan, diagnostics] where intake.isOpen { surroundings.poller.remove(intake.fd) }
        scope.killAll()
        scope.close()
        return outcome
    }

    private func giveUp(late: Bool) {
        if late { isLate = true } else { isStopped = true }
        // Asked again as long as it is not reaped; a pidfd knows when that was done by somebody else.
        until = kernel.monotonic() + Self.reapPatience
        guard exit == nil else { return }
        do { try kernel.signal(pidfd, .kill) } catch { isLost = error == .noProcess }
    }

    private func read(_ intake: Intake) {
        guard intake.isOpen else { return }
        do {
            let count = try kernel.read(intake.fd, into: surroundings.scratch)
            if count == 0 { return close(intake) }
            if intake.bytes.count + count > intake.limit { intake.isOver = true }
            if !intake.isOver { intake.bytes.append(contentsOf: surroundings.scratch[..<count]) }
        } catch {
            if error != .again { close(intake) }
        }
    }

    private func close(_ intake: Intake) {
        intake.isOpen = false
        surroundings.poller.remove(intake.fd)
    }

    /// What is told of one that outlives SIGKILL.
    var stuck: Outcome {
        .failed(
            "was not done within \(Self.limit.words), was killed, and is still there (pid \(process)): it waits for a disk that"
                + " stands still; what needs nexus-config is refused until it is gone", diagnostics: "")
    }

    private var outcome: Outcome {
        var words = String(decoding: diagnostics.bytes, as: UTF8.self)
        if diagnostics.isOver { words += "\n… more than \(Self.diagnosticsLimit) bytes of diagnostics were left out" }
        if isStopped { return .stopped }
        if isLost {
            return .failed("has ended, and its exit status was taken by somebody else", diagnostics: words)
        }
        if isLate { return .failed("was not done within \(Self.limit.words) and was killed", diagnostics: words) }
        if let failure = kernel.failure(in: report) {
            return .failed("cannot be run: \(failure.words)", diagnostics: words)
        }
        switch exit {
        case .code(0) where plan.isOver: return .failed("made a plan above \(Self.planLimit) bytes", diagnostics: words)
        case .code(0): return .plan(plan.bytes, diagnostics: words)
        case .code(2): return .refused(diagnostics: words)
        case .some(let exit): return .failed("ended with \(exit.words)", diagnostics: words)
        case nil: return .failed("did not end", diagnostics: words)
        }
    }
}

extension Surroundings {
    /// The directory of nexusd's own executable, where its companions lie.
    func binaries() throws(Errno) -> String {
        let own = try kernel.readLink("/proc/self/exe")
        guard let slash = own.lastIndex(of: "/") else { throw .noEntry }
        return String(own[..<slash])
    }
}
