import CNexus
import Glibc
import Plan
import SupervisorCore
import System
import Wire

/// The program: from the command line to the exit status.
public enum Nexusd {
    /// `arguments` without the program's name. Returns the exit status: 0 asked to stop, 1 something unkillable or an
    /// internal failure, 2 usage or configuration refused, 3 another instance runs; where a significant child ended the
    /// tree, that child's (128 and the number for a signal).
    public static func main(_ arguments: some Sequence<String>) -> Int32 {
        let kernel = LiveKernel()
        if let ticket = HandoverTicket(variable: { name in getenv(name).map { String(cString: $0) } }) {
            return resume(arguments, ticket, kernel)
        }
        do throws(StartError) {
            let options = try Options.parse(arguments)
            switch options.task {
            case .help: try show(Options.usage, kernel)
            case .version: try show("nexusd \(NexusVersion.current)", kernel)
            case .checkHandover: try checkHandover(kernel)
            case .run: return try supervise(options, kernel, endsProcess: true)
            }
            return 0
        } catch {
            // Nothing runs yet: a write that blocks holds up nobody.
            try? write(error.message, to: 2, kernel)
            return error.status
        }
    }

    /// Nobody may take what was not written for an answer.
    static func show(_ text: String, _ kernel: any Kernel) throws(StartError) {
        do throws(Errno) { try write(text, to: 1, kernel) } catch {
            throw .failed("cannot write to standard output: \(error)")
        }
    }

    static func write(_ line: String, to descriptor: Int32, _ kernel: any Kernel) throws(Errno) {
        let file = OwnedFD(owning: descriptor)
        let written = Result { () throws(Errno) in try kernel.writeAll(file, Array((line + "\n").utf8)) }
        // It is the process's own: not to be closed here.
        _ = file.release()
        try written.get()
    }

    /// The same with a kernel of the caller's. `endsProcess`: what others have sent and nobody read is closed by the end of the
    /// process, where nothing lingers, and not here.
    static func supervise(
        _ options: Options, _ kernel: any Kernel, endsProcess: Bool = false
    ) throws(StartError) -> Int32 {
        nexus_keep_heap_small()
        let surroundings = try Surroundings.prepare(options, kernel) { name in
            getenv(name).map { String(cString: $0) }
        }
        defer { surroundings.leave() }
        let made: Engine?
        do throws(StartError) {
            made = try makeEngine(options, surroundings)
        } catch {
            surroundings.leave()
            surroundings.withdraw()
            throw error
        }
        guard let engine = made else { return 0 }
        // The plan's many pieces are gone; their pages go back before the tree begins to fill the gaps.
        _ = malloc_trim(0)
        defer { if endsProcess { _ = Unmanaged.passRetained(engine) } }
        return engine.run()
    }

    /// Nil when nexusd was asked to stop before there was a plan.
    static func makeEngine(_ options: Options, _ surroundings: Surroundings) throws(StartError) -> Engine? {
        let adoption = surroundings.adoption
        let handover = adoption?.handover
        if handover == nil { surroundings.tell(.starting("it reads \(surroundings.config)")) }
        let found: PlanSource.Origin?
        if let adoption {
            found = PlanSource.Origin(plan: adoption.plan)
        } else {
            found = try PlanSource(options, surroundings).obtain()
        }
        guard let origin = found else { return nil }
        if handover == nil { surroundings.endLeftovers() }
        let path = surroundings.places.controlSocket
        let listener: ControlListener
        do throws(Errno) {
            if let handover {
                listener = try handover.listener(surroundings.kernel, path: path)
            } else {
                listener = try ControlListener(surroundings.kernel, path: path, origin.plan.supervisor)
            }
        } catch {
            guard let displaced = surroundings.kernel.displaced(path) else {
                throw .failed("\(path): \(error); \(error.remedy)")
            }
            throw .refused(
                "\(displaced): a directory is in the place of the control socket: move it away, or choose another runtime"
                    + " directory with --runtime")
        }
        if handover == nil { surroundings.tell(.serving) }
        let plan = PlanBook(origin.plan, adoption?.content.head.arrangement ?? Arrangement(origin.plan))
        let engine = Engine(
            surroundings, plan, origin.plan.choices, listener: listener, readsFile: options.plan == nil,
            notes: handover?.head.notes ?? origin.notes + Engine.notes(origin.plan.notes, plan, surroundings))
        engine.runsLastGood = origin.isLastGood
        if adoption == nil || handover != nil && handover?.stored == nil { engine.keeper?.keep(origin.plan) }
        return engine
    }
}
