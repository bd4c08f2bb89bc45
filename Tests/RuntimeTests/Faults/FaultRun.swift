import Glibc
import Plan
import SupervisorCore
import Synchronization
import System
import TestSupport

@testable import Runtime

/// One life of nexusd with one fault, in a process of its own; and what is wrong with it.
struct FaultRun {
    let script: FaultScript
    let fault: FaultyKernel.Fault?

    /// A loop that goes round more often than this waits for nothing.
    static let turnLimit = 6000
    /// For a tree in which one call has failed to come to what its script says, on a machine with much else to do.
    static let patience: Duration = .seconds(20)
    /// The same where calls go on failing: it may never come there.
    static let shortPatience: Duration = .milliseconds(300)
    /// Between the wish to stop and a more urgent one, as an impatient owner has it.
    static let urge: Duration = .seconds(4)

    struct Outcome {
        /// Calls that were made to fail.
        var failures = 0
        var complaint: String?
        var calls = 0
        var places: [Errno: Int] = [:]
    }

    var isSticky: Bool { fault?.forEver ?? false }

    /// To be called in a process that has one thread and no child. `answer` ends that process.
    func play(_ answer: @escaping @Sendable (Outcome) -> Never) -> Never {
        let scene = Scene()
        let kernel = scene.kernel
        var complaint: String?
        var killed: KilledLife?
        do {
            killed = script.adopts.isEmpty ? nil : try KilledLife(script.plan, ready: script.adopts)
            let directory = killed?.directory ?? scene.own.path
            kernel.executable = directory + "/nexusd"
            try furnish(directory, hasPlan: killed != nil)
            let variable = killed?.hand() ?? { _ in nil }
            let before = openDescriptors().filter { killed?.isHanded?.contains($0) != true }
            scene.before.withLock { $0 = before }
            if let steps = script.succession {
                kernel.succession = { environment in answer(succeed(scene, environment, steps)) }
            } else {
                kernel.fault = fault
            }
            complaint = try begin(directory, kernel, killed, variable)
        } catch {
            complaint = "it threw \(error)"
        }
        answer(conclude(scene, killed, complaint))
    }

    private func begin(
        _ directory: String, _ kernel: FaultyKernel, _ killed: KilledLife?, _ variable: @escaping (String) -> String?
    ) throws -> String? {
        do {
            let tree = try FaultTree(directory, kernel, killed, variable: variable)
            let complaint = try live(tree, script.steps)
            return complaint ?? (script.succession == nil ? nil : "no other program went on: \(tree.picture)")
        } catch let error as StartError {
            // Refused in words is as good as any end; without a fault it is none.
            if error.message.count < 10 { return "refused without words" }
            if fault == nil { return error.message }
            kernel.fault = nil
            // systemd starts the next one, with all that it still has.
            guard let killed else { return nil }
            let tree = try FaultTree(directory, kernel, killed, variable: killed.hand())
            return try live(tree, script.steps).map { "started again, " + $0 }
        }
    }

    /// What is left when a life is over.
    func conclude(_ scene: Scene, _ killed: KilledLife?, _ complaint: String?) -> Outcome {
        let kernel = scene.kernel
        var outcome = Outcome()
        // Who did not come to its end has left its children as well: what came first is the reason.
        let left = rest(kernel)
        outcome.complaint = complaint ?? left
        if let killed {
            let left = killed.end()
            if !isSticky, !left.isEmpty { outcome.complaint = outcome.complaint ?? "left: \(left)" }
        }
        let before = scene.before.withLock { $0 }
        var leaked = openDescriptors().subtracting(before)
        // Threads of the disposal say that they are done before they are over.
        for _ in 0..<2000 where !leaked.isEmpty {
            usleep(1000)
            leaked = openDescriptors().subtracting(before)
        }
        if outcome.complaint == nil, !leaked.isEmpty { outcome.complaint = "open descriptors: \(names(of: leaked))" }
        outcome.failures = kernel.failures
        outcome.calls = kernel.counts.values.reduce(0, +)
        outcome.places = kernel.places
        if outcome.complaint != nil {
            outcome.complaint? += "; failed: \(kernel.failed.prefix(4)) … \(kernel.failed.suffix(3))"
        }
        scene.own.remove()
        return outcome
    }

    /// A nexus-config that gives the plan in its directory, and takes every choice.
    private func furnish(_ directory: String, hasPlan: Bool) throws {
        let real = LiveKernel()
        if !hasPlan { try real.makeDirectory(directory + "/state", mode: 0o700) }
        let program = "#!/bin/sh\n[ \"$1\" != plan ] || exec cat \(directory)/plan\n"
        try real.replaceFile(directory + "/nexus-config", with: Array(program.utf8), mode: 0o755)
        // The program that is installed, as far as it is asked.
        let next = "#!/bin/sh\nexec \(Built.nexusd) --check-handover\n"
        try real.replaceFile(directory + "/nexusd", with: Array(next.utf8), mode: 0o755)
        guard !hasPlan else { return }
        let plan = FaultTree.hurried(script.plan(directory))
        try real.replaceFile(directory + "/plan", with: plan.encoded(), mode: 0o600)
    }

    /// Where a life is played; it outlives the execve that is played in it.
    final class Scene: Sendable {
        let own = TemporaryDirectory()
        let kernel = FaultyKernel()
        /// Descriptors that are not of the life.
        let before = Mutex<Set<Int32>>([])

        init() { kernel.longestWait = 20 }
    }

    /// From its beginning to its end, with these steps in between; what is wrong with it.
    func live(_ tree: FaultTree, _ steps: [FaultScript.Step]) throws -> String? {
        let (kernel, killed) = (tree.kernel, tree.before)
        let engine = tree.engine
        defer { engine.surroundings.leave() }
        engine.begin()
        var course = Course(
            tree, steps, of: script.name, patience: isSticky && kernel.fault != nil ? Self.shortPatience : Self.patience
        )
        var turns = 0
        while engine.finished == nil || (engine.config.isRecording && engine.shutdownLevel < 2) {
            if let complaint = course.next(engine.kernel.monotonic()) { return complaint }
            engine.turn()
            killed?.hear()
            turns += 1
            guard turns < Self.turnLimit else { return "it does not end: \(turns) turns" }
        }
        let status = engine.conclude()
        kernel.fault = nil
        finishDisposal(of: engine)
        if isSticky {
            return status == 0 ? Self.children().first.map { "ended with 0, but \(Self.name(of: $0)) is left" } : nil
        }
        guard status == 0 else { return "exit status \(status)" }
        return accounts(of: tree) ?? (course.isThrough ? script.verdict(tree) : course.complaint)
    }

    /// What nexusd leaves to the end of its process: descriptors whose close may wait for others.
    private func finishDisposal(of engine: Engine) {
        engine.disposal.begin(
            with: engine.surroundings.poller, token: EventSource.disposal.token, at: engine.kernel.monotonic())
    }

    /// Every run that was started has one end record, and only one was alive at a time.
    private func accounts(of tree: FaultTree) -> String? {
        for cell in tree.engine.cells {
            let name = tree.engine.names[cell.id]
            let started = Set(tree.kernel.starts.filter { $0.child == name }.map(\.run))
            let ended = (cell.ends?.entries ?? []).map { $0.run.description }
            guard Set(ended).count == ended.count else { return "\(name) has two end records of one run: \(ended)" }
            let open = started.subtracting(ended)
            if !open.isEmpty, ended.count < EndHistory.limit { return "\(name) has no end record of \(open)" }
        }
        return nil
    }

    /// A subreaper without a child has nothing left below it. Where calls fail for ever, what nexusd did not start itself may
    /// be out of its reach, when it says so by its exit status: nobody can be found without /proc, or signalled without a pidfd.
    private func rest(_ kernel: FaultyKernel) -> String? {
        let real = LiveKernel()
        let own = Set(kernel.starts.map(\.process.rawValue))
        var complaint: String?
        while true {
            do {
                if let ended = try real.peekEnded() {
                    _ = try real.reap(ended.process)
                    continue
                }
                let children = Self.children()
                let wrong = isSticky ? children.filter { own.contains($0) } : children
                if complaint == nil, !wrong.isEmpty, !mayNotSignal { complaint = "left: \(wrong.map(Self.name(of:)))" }
                for child in children { kill(child, SIGKILL) }
                usleep(1000)
            } catch {
                return complaint
            }
        }
    }

    /// Who may not signal at all cannot end anybody.
    private var mayNotSignal: Bool { isSticky && fault?.error == .notPermitted }

    static func children() -> [pid_t] {
        let own = getpid()
        let text = (try? LiveKernel().readFile("/proc/self/task/\(own)/children", limit: 65_536)) ?? []
        return String(decoding: text, as: UTF8.self).split(separator: " ").compactMap { pid_t($0) }
    }

    private static func name(of process: pid_t) -> String {
        let text = (try? LiveKernel().readFile("/proc/\(process)/cmdline", limit: 65_536)) ?? []
        return "\(process) " + String(decoding: text.map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
    }

    private func names(of descriptors: Set<Int32>) -> [String] {
        descriptors.map { "\($0) " + ((try? LiveKernel().readLink("/proc/self/fd/\($0)")) ?? "?") }
    }
}

extension FaultRun {
    /// Where a script is, and when it is over.
    struct Course {
        private let tree: FaultTree
        private let steps: [FaultScript.Step]
        private let name: String
        private let until: Instant
        private var step = 0
        private var urged: Instant?
        /// Every step has come to pass.
        var isThrough: Bool { step == steps.count }
        var complaint: String? {
            isThrough ? nil : "step \(step + 1) of '\(name)' has not come to pass: \(tree.picture)"
        }

        init(_ tree: FaultTree, _ steps: [FaultScript.Step], of name: String, patience: Duration) {
            self.tree = tree
            self.steps = steps
            self.name = name
            until = LiveKernel().monotonic() + patience
        }

        /// To be asked before every turn; words when the tree is up against time that nothing excuses.
        mutating func next(_ now: Instant) -> String? {
            while urged == nil, !isThrough, steps[step](tree) { step += 1 }
            if let urged {
                guard now - urged > FaultRun.urge else { return nil }
            } else if !isThrough, now < until {
                return nil
            }
            urged = now
            kill(getpid(), SIGTERM)
            return nil
        }
    }
}

extension FaultTree {
    /// Where every child is, for complaints.
    var picture: String {
        engine.names.ids.map { "\(engine.names[$0]) \(engine.core.view(of: $0).phase)" }.joined(separator: ", ")
    }

    /// Patience that fits a test: what a fault has cost is tried again soon.
    static func hurried(_ plan: Plan) -> Plan {
        var plan = plan
        for index in plan.children.indices {
            plan.children[index].policy.delay = DelayRule(
                first: .milliseconds(5), cap: .milliseconds(40), stableAfter: .milliseconds(20), parkAfter: 1000)
            plan.children[index].policy.startTimeout = .seconds(2)
            plan.children[index].policy.stop.timeout = min(plan.children[index].policy.stop.timeout, .seconds(1))
            plan.children[index].policy.stop.killGrace = .seconds(1)
            if plan.children[index].policy.stop.drain != nil { plan.children[index].policy.stop.drain = .seconds(2) }
        }
        return plan
    }

    func encoded(_ plan: Plan) -> [UInt8] { Self.hurried(plan).encoded() }
}
