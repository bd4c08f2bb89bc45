import Plan
import SupervisorCore
import System
import Wire

extension Surroundings {
    /// Everything up to the plan: directories, the lock, the raised limit, signals, containment.
    static func prepare(
        _ options: Options, _ kernel: any Kernel, resuming handover: Handover? = nil,
        variable: @escaping (String) -> String?
    ) throws(StartError) -> Surroundings {
        do {
            try occupyStandardDescriptors(kernel)
            let current = try kernel.readLink("/proc/self/cwd")
            let directories = try Directories.resolve(
                options, root: kernel.userID() == 0, current: current, variable: variable)
            let (runtime, state) = (
                Footprint(kernel, runtime: directories.runtime), Footprint(kernel, state: directories.state)
            )
            let places = try RuntimeDirectory(kernel, path: directories.runtime)
            let lock: InstanceLock
            do throws(InstanceLock.Refusal) {
                if let handover {
                    lock = try handover.lock(kernel)
                } else {
                    lock = try InstanceLock(kernel, path: places.lock)
                }
            } catch {
                throw refusal(error, places.lock, "runtime directory", "--runtime")
            }
            do {
                return try prepare(
                    options, kernel, directories, places, lock, (runtime, state), handover, variable: variable)
            } catch {
                runtime.erase()
                throw error
            }
        } catch let error as StartError {
            throw error
        } catch let error as PlaceError {
            throw error.isRefused ? .refused(error.description) : .failed(error.description)
        } catch {
            throw .failed("\(error)")
        }
    }

    /// With the runtime directory's lock; whatever fails from here on leaves nothing behind in it.
    private static func prepare(
        _ options: Options, _ kernel: any Kernel, _ directories: Directories, _ places: RuntimeDirectory,
        _ lock: InstanceLock, _ footprints: (runtime: Footprint, state: Footprint), _ handover: Handover?,
        variable: @escaping (String) -> String?
    ) throws -> Surroundings {
        let state: StateDirectory
        do {
            state = try StateDirectory(kernel, path: directories.state, held: handover?.stateLock(kernel))
        } catch let error as InstanceLock.Refusal {
            throw refusal(error, directories.state + "/nexusd.lock", "state directory", "--state")
        }
        do {
            let given = try raiseOpenFiles(kernel)
            let openFiles = handover?.head.openFiles ?? given
            let stderr = StandardError(kernel, try duplicateStandardError(kernel), variable("JOURNAL_STREAM"))
            let containment = try containment(handover, kernel, override: variable("NEXUS_CGROUP"))
            let surroundings = try Surroundings(
                kernel, directories, config: options.plan ?? directories.config, places, lock, state, stderr,
                containment, openFiles: openFiles, life: handover.flatMap { LifeID($0.head.life) }, variable: variable)
            surroundings.footprints = [footprints.runtime, footprints.state]
            if let trouble = state.trouble { stderr.write(LogEvent(.supervisorTrouble, 4, trouble)) }
            if handover == nil { surroundings.beginLife() }
            return surroundings
        } catch {
            footprints.state.erase()
            throw error
        }
    }

    private static func containment(
        _ handover: Handover?, _ kernel: any Kernel, override: String?
    ) throws(Errno) -> Containment {
        guard let head = handover?.head else { return try Containment(kernel, override: override) }
        return try Containment(kernel, resuming: head.cgroup, note: head.cgroupNote)
    }

    private static func refusal(
        _ refusal: InstanceLock.Refusal, _ path: String, _ place: String, _ option: String
    ) -> StartError {
        switch refusal {
        case .held(let process):
            let who = process.map { "pid \($0)" } ?? "another process"
            return StartError(
                status: 3,
                message:
                    "nexusd: another nexusd (\(who)) holds this \(place); stop it, or choose another one with \(option)"
            )
        case .failed(let error):
            return .failed(
                "the lock \(path) of the \(place) cannot be taken: \(error); \(error.remedy), or choose another one with \(option)"
            )
        }
    }

    /// A caller may have closed 0, 1 or 2: what is opened first would then be taken for stderr.
    private static func occupyStandardDescriptors(_ kernel: any Kernel) throws(Errno) {
        while true {
            let null = try kernel.open("/dev/null", .readWrite, mode: 0)
            if null.raw > 2 { return }
            _ = null.release()
        }
    }

    /// 2 itself stays open for the words of a start that fails.
    private static func duplicateStandardError(_ kernel: any Kernel) throws(Errno) -> OwnedFD {
        let two = OwnedFD(owning: 2)
        let copy: OwnedFD
        do {
            copy = try kernel.duplicate(two)
        } catch {
            _ = two.release()
            throw error
        }
        _ = two.release()
        return copy
    }

    /// A tree needs several descriptors a child. What nexusd was started with is what children get.
    private static func raiseOpenFiles(_ kernel: any Kernel) throws(Errno) -> ResourceLimit {
        let original = try kernel.limit(ResourceLimit.openFiles)
        var raised = original
        raised.soft = raised.hard
        try? kernel.setLimit(raised)
        return original
    }
}
