import Plan
import SupervisorCore
import System
import Wire

extension Engine {
    /// Starts a run: its report tells what becomes of it (`readLaunch`). Or tells the core why there is no process.
    func spawn(_ child: ChildID, _ run: RunID) {
        // The book of runs has the start before the process is there: nexusd may be gone right after.
        journal.flush()
        do throws(Obstacle) {
            try launch(child, run)
            now = kernel.monotonic()
        } catch {
            now = kernel.monotonic()
            let (stage, errno) = (error.failure.stage, error.failure.error.rawValue)
            if let words = error.words { remark(child, run, words, error.settings) }
            if let holder = error.barrier { return feed(.barred(child, run, stage, errno: errno, by: holder)) }
            if let words = error.words {
                say(LogEvent(.spawnTrouble, 4, "\(names[child]) cannot be started: \(words).", names[child], run))
            }
            feed(.spawnFailed(child, run, stage, errno: errno))
        }
    }

    /// What keeps a run from being started.
    struct Obstacle: Error {
        let failure: SpawnFailure
        /// What the stage and the errno do not say.
        let words: String?
        /// The keys it is about.
        let settings: [Explanation.Setting]
        /// Whose run has what it needs, and is being ended: it is waited for.
        let barrier: ChildID?

        init(
            _ failure: SpawnFailure, _ words: String? = nil, _ settings: [Explanation.Setting] = [],
            barrier: ChildID? = nil
        ) {
            self.failure = failure
            self.words = words
            self.settings = settings
            self.barrier = barrier
        }

        init(_ error: Errno, _ words: String) {
            self.init(SpawnFailure(stage: .prepare, error: error), "\(words): \(error)")
        }
    }

    private func launch(_ child: ChildID, _ run: RunID) throws(Obstacle) {
        let childPlan = plan[child]
        let secrets = try gatherSecrets(childPlan)
        try checkCaptures(childPlan)
        var equipment = try equip(childPlan)
        try openSockets(child)
        equipment.lend(self[child].sockets?.descriptors ?? [], from: childPlan.firstSocket)
        var request = SpawnRequest(child: childPlan, run: run, descriptors: equipment.mappings)
        request.notifySocket = try notifySocket(child, childPlan)
        let credentials = try credentialFiles(childPlan, secrets)
        request.credentialsDirectory = credentials?.path
        let scope = try openScope(childPlan, run)
        let spawned: Spawned
        do {
            spawned = try surroundings.spawner.spawn(request, in: scope, values: values(secrets))
        } catch {
            scope.close()
            credentials?.remove(kernel, disposal)
            throw Obstacle(error)
        }
        equipment.closeChildEnds()
        let launch = Launch(spawned.report, equipment, at: now)
        let living = LivingRun(run, spawned.process, spawned.pidfd, in: scope)
        living.credentials = credentials
        living.sockets = self[child].sockets?.kept.map(\.inode) ?? []
        living.secrets = redactions(secrets)
        for (index, value) in secrets { living.secretValues[plan.secrets[Int(index)].name] = value }
        follow(launch, of: living, child)
    }

    private func openScope(_ child: ChildPlan, _ run: RunID) throws(Obstacle) -> any RunScope {
        do {
            return try surroundings.containment.open(
                child: child.name, run: run, user: child.identity?.uid, bounds: child.bounds)
        } catch {
            throw Obstacle(SpawnFailure(stage: .cgroup, error: error))
        }
    }

    private func equip(_ child: ChildPlan) throws(Obstacle) -> Equipment {
        var equipment = Equipment()
        do {
            if child.role == .logWriter {
                try equipment.addLogLink(kernel)
            } else if logWriter != nil {
                try equipment.addOutput(kernel, owner: child.identity)
            }
            if case .descriptor(let number) = child.readiness {
                try equipment.addReadiness(kernel, number: number)
            }
            if child.worker != nil { try equipment.addBus(kernel) }
        } catch {
            throw Obstacle(error, "its pipes cannot be made")
        }
        return equipment
    }

    func notifySocket(_ child: ChildID, _ childPlan: ChildPlan) throws(Obstacle) -> String? {
        guard childPlan.readiness == .notify || childPlan.policy.watchdog != nil else { return nil }
        if self[child].isNotifyStale {
            dropNotify(of: child)
            self[child].isNotifyStale = false
        }
        if let socket = self[child].notify {
            socket.discardPending()
            if !socket.isBlocked { return socket.path }
            // What the former run has said last must not be heard as a word of this one.
            dropNotify(of: child)
        }
        do {
            let socket = try NotifySocket(
                kernel, disposal, directory: surroundings.places.notify, child: childPlan.name,
                user: childPlan.identity?.uid ?? kernel.userID(), group: childPlan.identity?.gid ?? kernel.groupID())
            try follow(socket, of: child, childPlan)
            return socket.path
        } catch {
            throw Obstacle(error, "its notify socket cannot be made")
        }
    }

    /// From now on it is heard.
    func follow(_ socket: NotifySocket, of child: ChildID, _ childPlan: ChildPlan) throws(Errno) {
        try surroundings.poller.add(socket.fd, token: EventSource.notify(child).token)
        socket.isForeign = { [unowned self] in isForeign($0, to: child) }
        socket.refuses = { [unowned self] in tellRefused($0, of: child) }
        socket.isUserItsOwn = !sharesUser(childPlan)
        self[child].notify = socket
    }

    /// Whether its uid says too little about who speaks: nexusd or another child has it too.
    func sharesUser(_ child: ChildPlan) -> Bool {
        guard let uid = child.identity?.uid, uid != kernel.userID() else { return true }
        return names.ids.contains { names[$0] != child.name && plan.traits($0).identity?.uid == uid }
    }

    /// The program is executed: everything it is listened to by.
    func begin(_ living: LivingRun, _ child: ChildID, _ equipment: inout Equipment) {
        living.hasBegun = true
        memory.began(child, at: now)
        living.readyDescriptor = equipment.readyDescriptor.take()
        living.busInput = equipment.busInput.take()
        living.busOutput = equipment.busOutput.take()
        listen(to: living.readyDescriptor, as: .readyDescriptor(child, living.generation))
        if plan.isWorker(child) {
            listen(to: living.busInput, as: .busInput(child, living.generation))
            router.workerUp(PeerID(child), at: now)
        }
        if let link = equipment.logLink.take(), let kept = equipment.keptLogLink.take() {
            living.errors = equipment.stderr.take()
            listen(to: living.errors, as: .logWriterErrors(living.generation))
            openLogLink(LogLink(run: living.id, ours: link, theirs: kept))
        } else if let stdout = equipment.stdout.take(), let stderr = equipment.stderr.take() {
            keepOutput(of: child, stdout, stderr, living.id, redactions: living.secrets)
        }
        if let name = plan[child].pidFile { writePIDFile(name, of: child, living.process) }
    }

    func listen(to fd: borrowing OwnedFD?, as source: EventSource) {
        switch fd {
        case .some(let fd): try? surroundings.poller.add(fd, token: source.token)
        case .none: break
        }
    }

    func writePIDFile(_ name: String, of child: ChildID, _ process: ProcessID) {
        do {
            let path = surroundings.places.pids + "/" + name
            self[child].pidFile = try PIDFile(kernel, path: path, process: process)
        } catch {
            say(
                LogEvent(.spawnTrouble, 4, "The PID file of \(names[child]) cannot be written: \(error).", names[child])
            )
        }
    }
}
