import CNexus
import Glibc
import Plan
import SupervisorCore
import System
import Wire

// The program that goes on where another one was, in the same process.
extension Nexusd {
    /// Supervises what is handed over, or gives it back to the program before. The exit status of nexusd.
    static func resume(_ arguments: some Sequence<String>, _ ticket: HandoverTicket, _ kernel: any Kernel) -> Int32 {
        // A program that was executed by its descriptor is called by a number.
        kernel.setName("nexusd")
        nexus_keep_heap_small()
        guard let engine = takeOver(arguments, ticket, kernel) else { return 1 }
        defer { engine.surroundings.leave() }
        _ = malloc_trim(0)
        defer { _ = Unmanaged.passRetained(engine) }
        return engine.run()
    }

    /// All that can be refused is refused before the first descriptor of it is taken. Nil where it could not be given back
    /// either, which is said on standard error.
    static func takeOver(
        _ arguments: some Sequence<String>, _ ticket: HandoverTicket, _ kernel: any Kernel
    ) -> Engine? {
        let handover: Handover
        do throws(Handover.Refusal) { handover = try HandoverMemory.read(ticket.document, kernel) } catch {
            giveBack(ticket, CommandLine.arguments, because: error.description, kernel)
            return nil
        }
        let engine: Engine
        do throws(StartError) {
            engine = try makeEngine(arguments, handover, ticket, kernel)
        } catch {
            giveBack(ticket, handover.head.arguments, because: error.message, kernel)
            return nil
        }
        // From here on there is no way back.
        for raw in handover.numbers { try? kernel.closeOnExec(raw, true) }
        for raw in handover.spent + [ticket.document, ticket.program] where raw >= 0 { _ = OwnedFD(owning: raw) }
        return engine
    }

    private static func makeEngine(
        _ arguments: some Sequence<String>, _ handover: Handover, _ ticket: HandoverTicket, _ kernel: any Kernel
    ) throws(StartError) -> Engine {
        let options = try Options.parse(arguments)
        let surroundings = try Surroundings.prepare(options, kernel, resuming: handover) { name in
            HandoverTicket.hides(name) ? nil : getenv(name).map { String(cString: $0) }
        }
        do throws(Adoption.Refusal) { try surroundings.resume(handover, refused: ticket.failure) } catch {
            throw .failed(error.description)
        }
        guard let engine = try makeEngine(options, surroundings) else { throw .failed("it was asked to stop") }
        return engine
    }

    /// The program before goes on with what it has handed over. Comes back where that fails as well, or had failed before.
    private static func giveBack(
        _ ticket: HandoverTicket, _ arguments: [String], because reason: String, _ kernel: any Kernel
    ) {
        let words = reason.split(whereSeparator: \.isNewline).joined(separator: " ")
        var last = words
        if ticket.failure == nil, ticket.program >= 0 {
            let back = HandoverTicket(document: ticket.document, program: ticket.program, failure: words)
            let program = OwnedFD(owning: ticket.program)
            let error = kernel.execute(program, arguments, back.environment(kernel))
            _ = program.release()
            last += "; and the program before cannot be executed again: \(error)"
        }
        try? write("nexusd: what was handed over cannot be gone on from: \(last)", to: 2, kernel)
    }

    /// `--check-handover`: whether this program could go on from the hand-over on its standard input.
    static func checkHandover(_ kernel: any Kernel) throws(StartError) {
        do {
            let handover = try HandoverMemory.read(0, kernel)
            _ = try Adoption.Restored(handover, second: .max, at: kernel.monotonic())
        } catch let error as Handover.Refusal {
            throw .failed(error.description)
        } catch {
            throw .failed("\(error)")
        }
        try show("ok \(NexusVersion.current)", kernel)
    }
}
