import Plan
import SupervisorCore
import System
import Wire

/// What the next nexusd will need, at the end of each turn in which something of it is different.
extension Engine {
    /// Before what could not be kept is tried again; each time twice as long, up to the limit.
    static let keepPause: Duration = .milliseconds(20)
    static let keepPauseLimit: Duration = .seconds(10)
    /// For so long nothing is said of it.
    static let keepPatience: Duration = .seconds(2)

    func keepState() {
        guard let keeper else { return }
        keeper.prove(at: now)
        // A state whose consequences were not carried out is none to go on from: the last one is, until they were.
        guard nextAction == actions.count else { return }
        let isBehind = keeper.isBehind
        let isInStore = keeper.goOn()
        var news = keeper.takeTouched().union(keeper.takeBehind())
        while let child = core.takeRevised() { news.insert(child) }
        if vault.takeRevised() { keeper.isHeadTouched = true }
        guard isBehind || !news.isEmpty || keeper.isHeadTouched else { return settleKeeping(keeper) }
        for child in news where has(child) {
            keepDescriptors(of: child, keeper)
            keeper.image.set(child, core.memory(of: child), shellCell(of: child))
        }
        keeper.image.set(core.treeMemory)
        if keeper.isHeadTouched { keeper.image.set(shellHead(keeper)) }
        keeper.isHeadTouched = false
        if isInStore { keeper.write() }
        settleKeeping(keeper)
    }

    private func settleKeeping(_ keeper: Keeper) {
        tellOfKeeping(keeper)
        guard keeper.isBehind else {
            keepAgainAt = nil
            keepPause = Self.keepPause
            return
        }
        if let due = keepAgainAt, due > now { return }
        keepAgainAt = now + keepPause
        keepPause = min(keepPause * 2, Self.keepPauseLimit)
    }

    /// Said once; a note stands in `status` while it is so.
    private func tellOfKeeping(_ keeper: Keeper) {
        if !keeper.isBehind { keptUntil = now }
        let words = now - keptUntil >= Self.keepPatience ? troubleWords(keeper) : fullWords(keeper)
        guard words != keepingNote else { return }
        notes.removeAll { $0 == keepingNote }
        keepingNote = words
        guard let words else { return }
        notes.append(words)
        guard !hasToldKeeping else { return }
        hasToldKeeping = true
        say(LogEvent(.supervisorTrouble, 4, words.prefix(1).uppercased() + words.dropFirst() + "."))
    }

    private func troubleWords(_ keeper: Keeper) -> String {
        "what the next nexusd would need to adopt the children is not kept (\(keeper.trouble ?? "systemd does not listen")):"
            + " it would end them, or some of them"
    }

    private func fullWords(_ keeper: Keeper) -> String? {
        guard keeper.isFull else { return nil }
        return
            "systemd keeps \(keeper.store.limit) descriptors of nexusd (FileDescriptorStoreMax= and FDSTORE= in the unit),"
            + " and more are needed: children whose are not among them would be ended if nexusd were killed"
    }

    /// All children are looked at in the next turn: numbers or plans are different.
    func keepAll() {
        guard let keeper else { return }
        for child in names.ids { keeper.touch(child) }
        keeper.isHeadTouched = true
    }

    private func keepDescriptors(of child: ChildID, _ keeper: Keeper) {
        let cell = self[child]
        if let run = cell.run, run.hasBegun, !keeper.hasStored(run.id, of: child) { keep(run, of: child, keeper) }
        keeper.release(child) { run in cell.run?.id == run || cell.outputs.contains { $0.run == run } }
        keeper.keepSockets(of: child, cell.sockets?.kept ?? [])
    }

    private func keep(_ run: LivingRun, of child: ChildID, _ keeper: Keeper) {
        var inodes: [UInt64] = []
        var descriptors = [run.pidfd.raw]
        func add(_ fd: borrowing OwnedFD) {
            guard let inode = (try? kernel.status(fd))?.inode else { return inodes.append(0) }
            inodes.append(inode)
            descriptors.append(fd.raw)
        }
        func add(_ fd: borrowing OwnedFD?) {
            switch fd {
            case .some(let fd): add(fd)
            case .none: inodes.append(0)
            }
        }
        if child == logWriter {
            guard let link = journal.link, link.run == run.id else { return }
            add(link.socket)
            add(link.kept)
            add(run.errors)
        } else {
            let output = self[child].outputs.first { $0.run == run.id }
            for kind in StreamKind.allCases {
                if output?.with(kind, { fd in add(fd) }) == nil { inodes.append(0) }
            }
            add(run.readyDescriptor)
        }
        keeper.keep(run.id, of: child, as: inodes, descriptors)
    }

    private func shellHead(_ keeper: Keeper) -> ShellHead {
        ShellHead(
            life: keeper.life.description, plan: keeper.plan ?? 0, arrangement: plan.arrangement,
            runsLastGood: runsLastGood, generated: vault.generated)
    }

    func shellCell(of child: ChildID) -> ShellCell {
        let cell = self[child]
        var kept = ShellCell()
        kept.remark = cell.remark.map(ShellCell.Remark.init)
        kept.status = cell.status
        kept.captures = cell.captures
        kept.isStoppedByWorker = cell.isStoppedByWorker
        kept.choice = choices[child]
        let open = cell.sockets?.kept.map(\.inode) ?? plan.traits(child).sockets.map { _ in 0 }
        kept.sockets = open + (cell.run?.sockets.filter { !open.contains($0) } ?? [])
        kept.redactions = cell.outputs.map { ShellCell.Redaction(run: $0.run, values: $0.redactions) }
        guard let run = cell.run else { return kept }
        kept.process = run.process.rawValue
        kept.hasCredentials = run.credentials != nil
        kept.secrets = run.secretValues.keys.sorted().map { name in
            ShellCell.Value(name: name, value: run.secretValues[name] ?? "")
        }
        return kept
    }
}
