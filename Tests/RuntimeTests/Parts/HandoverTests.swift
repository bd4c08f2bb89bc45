import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

/// What one program hands over to the next, as bytes.
@Suite struct HandoverTests {
    private func handover() throws -> Handover {
        let plan = Plan(children: [child("plain", "serve"), child("worker", "worker", worker: WorkerPlan(may: []))])
        var core = Supervisor(tree: plan.tree, second: 7, at: Instant(nanoseconds: 5))
        var actions: [Action] = []
        core.start(at: Instant(nanoseconds: 5), jitter: 0, into: &actions)
        var image = StateImage()
        image.set(core.treeMemory)
        let life = String(repeating: "a", count: 32)
        image.set(
            ShellHead(life: life, plan: 0, arrangement: Arrangement(plan), runsLastGood: false, generated: [:]))
        var descriptors = HandoverDescriptors(lock: 10, listener: 11, refusesDescriptors: true)
        var cells: [HandoverCell] = []
        for number in UInt16(1)...2 {
            let child = ChildID(rawValue: number)
            image.set(child, core.memory(of: child), ShellCell())
            var cell = HandoverCell()
            cell.health = "well"
            cell.notify = 30
            cell.ends = EndHistory()
            cell.run = HandoverCell.Run()
            cell.run?.stopSignal = HandoverCell.Run.Stop(signal: 15, at: Instant(nanoseconds: 6))
            cells.append(cell)
            descriptors.runs.append(
                HandoverDescriptors.Run(
                    child: child, run: core.view(of: child).run ?? RunID(rawValue: 1), process: 40, pidfd: 41,
                    others: [42, 43, -1]))
        }
        descriptors.sockets = [HandoverDescriptors.Socket(inode: 99, descriptor: 44)]
        let head = HandoverHead(
            program: "/nexusd", arguments: ["/nexusd", "--last-good"], life: life, cgroup: nil, cgroupNote: "none",
            openFiles: ResourceLimit(resource: ResourceLimit.openFiles, soft: 1024, hard: 4096), hasStarted: true,
            hasLeftovers: false, notes: ["a note"], unrecorded: nil, refusedReload: "a reason", count: 3,
            wishes: [
                RecycleWishes.Wish(
                    child: ChildID(rawValue: 1), run: RunID(rawValue: 1), until: Instant(nanoseconds: 9),
                    next: Instant(nanoseconds: 9))
            ])
        let stored = KeeperBook(
            memory: 50, isMemoryKept: true, plan: 4, owesPlan: false,
            runs: [KeeperBook.Entry(name: "nexus-run-1-1-0-0-0", count: 3)], sockets: [99], leaving: [])
        var unfiled = UnfiledLines()
        unfiled.tell("plain", trouble: "no space left")
        unfiled.count("plain", lines: 814)
        unfiled.count("worker", lines: 3)
        return Handover(
            head: head, journal: JournalMemory(), unfiled: unfiled, plan: plan.encoded(), state: image.parts,
            cells: cells,
            router: Router(workers: []).encoded(), descriptors: descriptors, stored: stored)
    }

    @Test func whatIsWritten_isRead_andCanBeGoneOnFrom() throws {
        let bytes = try handover().encoded()
        let read = try Handover(encoded: bytes)
        #expect(read.encoded() == bytes)
        #expect(read.unfiled.note?.contains("817 lines are lost so far: no space left") == true)
        #expect(read.unfiled.orders == [.missing(child: "plain", lines: 814), .missing(child: "worker", lines: 3)])
        #expect(read.numbers == [10, 11, 30, 41, 42, 43, 44, 50])
        _ = try Adoption.Restored(read, second: 9, at: Instant(nanoseconds: 20))
    }

    @Test func whatHasNoProcessOfALivingRun_isRefused() throws {
        var handed = try handover()
        handed.descriptors.runs.removeLast()
        #expect(throws: Adoption.Refusal.self) {
            try Adoption.Restored(handed, second: 9, at: Instant(nanoseconds: 20))
        }
    }

    @Test func truncatedOrDamaged_orOfAnotherVersion_isRefused() throws {
        let bytes = try handover().encoded()
        for count in bytes.indices {
            #expect(throws: Handover.Refusal.self) { try Handover(encoded: Array(bytes[..<count])) }
        }
        for place in bytes.indices {
            var damaged = bytes
            damaged[place] ^= 1
            #expect(throws: Handover.Refusal.self) { try Handover(encoded: damaged) }
        }
    }
}
