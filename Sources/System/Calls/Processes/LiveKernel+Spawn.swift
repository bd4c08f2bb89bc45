import CNexus
import Glibc
import SupervisorCore

extension LiveKernel {
    /// Refuses what C strings cannot carry (a NUL inside) and doubled targets before anything is started.
    public func spawn(_ image: SpawnImage) throws(SpawnFailure) -> Spawned {
        let mappings = image.descriptors.sorted { $0.target < $1.target }
        let doubled = zip(mappings, mappings.dropFirst()).contains { $0.target == $1.target }
        let texts =
            [image.executable, image.directory, image.waitingName ?? ""] + image.arguments + image.environment
            + image.pidVariables
        guard !doubled, mappings.allSatisfy({ $0.source >= 0 && $0.target >= 0 }),
            !texts.contains(where: { $0.utf8.contains(0) })
        else { throw SpawnFailure(stage: .prepare, error: .invalid) }

        let arguments = CStringArray(image.arguments)
        let environment = CStringArray(image.environment, slots: image.pidVariables)
        let path = CStringArray([image.executable, image.directory] + (image.waitingName.map { [$0] } ?? []))
        var request = nexus_spawn_request()
        request.path = UnsafePointer(path.pointers[0])
        request.directory = UnsafePointer(path.pointers[1])
        request.waiting_name = UnsafePointer(path.pointers[2])
        request.argv = UnsafePointer(arguments.pointers)
        request.envp = UnsafePointer(environment.pointers)
        request.pid_slots = UnsafePointer(environment.slots)
        request.pid_slot_count = image.pidVariables.count
        request.setScalars(image)
        let result = request.start(
            sources: mappings.map(\.source), targets: mappings.map(\.target),
            limits: image.limits.map { nexus_limit(resource: Int32($0.resource), soft: $0.soft, hard: $0.hard) },
            groups: image.identity?.groups ?? [])
        withExtendedLifetime((arguments, environment, path)) {}
        if result.pid < 0 {
            throw SpawnFailure(
                stage: SpawnStage(rawValue: UInt8(truncatingIfNeeded: request.stage)) ?? .prepare,
                error: Errno(rawValue: -result.pid))
        }
        return Spawned(
            process: ProcessID(rawValue: result.pid), pidfd: OwnedFD(owning: result.pidfd),
            report: OwnedFD(owning: result.report))
    }
}

extension nexus_spawn_request {
    fileprivate mutating func setScalars(_ image: SpawnImage) {
        change_identity = image.identity == nil ? 0 : 1
        uid = image.identity?.user ?? 0
        gid = image.identity?.group ?? 0
        if let capabilities = image.capabilities {
            set_capabilities = 1
            ambient = capabilities.ambient
            if let set = capabilities.bounding {
                bounding = set
                limit_bounding =
                    capabilities.isBoundingRequired ? NEXUS_CAPABILITIES_REQUIRED : NEXUS_CAPABILITIES_TRIED
            }
        }
        new_session = image.newSession ? 1 : 0
        takes_terminal = image.takesTerminal ? 1 : 0
        nice = Int32(image.nice)
        oom_score_adjust = Int32(image.oomScoreAdjust)
        umask = UInt32(image.umask)
        no_new_privileges = image.noNewPrivileges ? 1 : 0
        refuse_pipe_holds = image.refusesPipeHolds ? 1 : 0
        death_signal = image.deathSignal?.rawValue ?? 0
        cgroup = image.cgroup ?? -1
    }

    /// Lends the arrays to the request for the length of the call.
    fileprivate mutating func start(
        sources: [Int32], targets: [Int32], limits: [nexus_limit], groups: [UInt32]
    ) -> (pid: Int32, pidfd: Int32, report: Int32) {
        var pidfd: Int32 = -1
        var report: Int32 = -1
        var sources = sources
        let pid = sources.withUnsafeMutableBufferPointer { sources in
            targets.withUnsafeBufferPointer { targets in
                limits.withUnsafeBufferPointer { limits in
                    groups.withUnsafeBufferPointer { groups in
                        self.sources = sources.baseAddress
                        self.targets = targets.baseAddress
                        descriptor_count = targets.count
                        self.limits = limits.baseAddress
                        limit_count = limits.count
                        self.groups = groups.baseAddress
                        group_count = groups.count
                        return nexus_spawn(&self, &pidfd, &report)
                    }
                }
            }
        }
        return (pid, pidfd, report)
    }
}

/// NUL-terminated strings and the NULL-terminated array of them that execve(2) wants, in one piece of memory each.
final class CStringArray {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    /// Where the values of the pid variables begin, each with room for `NEXUS_PID_SLOT` bytes.
    let slots: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let bytes: UnsafeMutablePointer<CChar>

    init(_ strings: [String], slots names: [String] = []) {
        let slotWidth = Int(NEXUS_PID_SLOT)
        let size =
            strings.reduce(0) { $0 + $1.utf8.count + 1 } + names.reduce(0) { $0 + $1.utf8.count + 1 + slotWidth }
        bytes = .allocate(capacity: size + 1)
        pointers = .allocate(capacity: strings.count + names.count + 1)
        slots = .allocate(capacity: names.count + 1)
        var offset = 0
        func append(_ text: String) {
            for byte in text.utf8 {
                bytes[offset] = CChar(bitPattern: byte)
                offset += 1
            }
        }
        for (index, string) in strings.enumerated() {
            pointers[index] = bytes + offset
            append(string + "\0")
        }
        for (index, name) in names.enumerated() {
            pointers[strings.count + index] = bytes + offset
            append(name + "=")
            slots[index] = bytes + offset
            bytes[offset] = 0
            offset += slotWidth
        }
        pointers[strings.count + names.count] = nil
    }

    deinit {
        bytes.deallocate()
        pointers.deallocate()
        slots.deallocate()
    }
}
