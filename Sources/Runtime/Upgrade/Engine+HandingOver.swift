import Plan
import SupervisorCore
import System
import Wire

/// What is handed over, as it is at the end of a turn.
extension Engine {
    func handover() -> Handover {
        var image = StateImage()
        image.set(core.treeMemory)
        image.set(
            ShellHead(
                life: surroundings.life.description, plan: 0, arrangement: plan.arrangement, runsLastGood: runsLastGood,
                generated: vault.generated))
        for child in names.ids { image.set(child, core.memory(of: child), shellCell(of: child)) }
        return Handover(
            head: handoverHead, journal: journal.memory, unfiled: unfiled, plan: plan.unpacked.encoded(),
            state: image.parts,
            cells: cells.map(handoverCell), router: router.encoded(), descriptors: handoverDescriptors,
            stored: keeper?.book)
    }

    private var handoverHead: HandoverHead {
        HandoverHead(
            program: surroundings.program, arguments: CommandLine.arguments, life: surroundings.life.description,
            cgroup: surroundings.containment.cgroup, cgroupNote: surroundings.containment.note ?? "",
            openFiles: surroundings.openFiles, hasStarted: board.hasStarted, hasLeftovers: surroundings.hasLeftovers,
            notes: notes.filter { $0 != upgrade.note && $0 != keepingNote }, unrecorded: unrecorded,
            refusedReload: refusedReload, count: upgrade.count, wishes: wishes.wishes)
    }

    private func handoverCell(_ cell: ChildCell) -> HandoverCell {
        var handed = HandoverCell()
        handed.health = cell.health
        handed.usage = cell.usage
        handed.ends = cell.ends
        handed.counts = cell.logTally?.counts
        handed.notify = cell.notify?.fd.raw ?? -1
        handed.isNotifyStale = cell.isNotifyStale
        guard let run = cell.run else { return handed }
        var more = HandoverCell.Run()
        more.adoption = run.adoption
        more.hasExited = run.hasExited
        more.isToBeEmpty = run.isToBeEmpty
        more.isOverMemory = run.isOverMemory
        more.hasAskedForItself = run.hasAskedForItself
        more.readsNoMore = run.readsNoMore
        more.oddities = run.oddities.rawValue
        more.stopSignal = run.stopSignal.map { HandoverCell.Run.Stop(signal: $0.signal.rawValue, at: $0.at) }
        more.busInput = Self.number(run.busInput)
        more.busOutput = Self.number(run.busOutput)
        handed.run = more
        return handed
    }

    private var handoverDescriptors: HandoverDescriptors {
        var handed = HandoverDescriptors(
            lock: surroundings.lock.descriptor, listener: listener.descriptor,
            refusesDescriptors: listener.refusesDescriptors)
        handed.stateLock = surroundings.state.descriptor
        for cell in cells {
            if let run = cell.run { handed.runs.append(entry(of: run, cell)) }
            for output in cell.outputs where output.run != cell.run?.id {
                handed.runs.append(
                    HandoverDescriptors.Run(child: cell.id, run: output.run, others: Self.numbers(output) + [-1]))
            }
            for socket in cell.sockets?.kept ?? [] where socket.descriptor >= 0 {
                handed.sockets.append(
                    HandoverDescriptors.Socket(inode: socket.inode, descriptor: socket.descriptor))
            }
        }
        return handed
    }

    /// By the places that `StoredName.run` has.
    private func entry(of run: LivingRun, _ cell: ChildCell) -> HandoverDescriptors.Run {
        let others: [Int32]
        if cell.id == logWriter {
            let link = journal.link.flatMap { $0.run == run.id ? $0 : nil }
            others = [link?.socket.raw ?? -1, link?.kept.raw ?? -1, Self.number(run.errors)]
        } else {
            let output = cell.outputs.first { $0.run == run.id }
            others = (output.map(Self.numbers) ?? [-1, -1]) + [Self.number(run.readyDescriptor)]
        }
        return HandoverDescriptors.Run(
            child: cell.id, run: run.id, process: run.process.rawValue, pidfd: run.pidfd.raw, others: others)
    }

    private static func numbers(_ output: RunOutput) -> [Int32] {
        StreamKind.allCases.map { kind in output.with(kind) { $0.raw } ?? -1 }
    }

    private static func number(_ fd: borrowing OwnedFD?) -> Int32 {
        switch fd {
        case .some(let fd): fd.raw
        case .none: -1
        }
    }
}
