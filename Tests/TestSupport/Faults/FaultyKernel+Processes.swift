public import SupervisorCore
public import System

// Each call is described at its requirement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension FaultyKernel {
    public func processID() -> ProcessID { base.processID() }

    public func userID() -> UInt32 { base.userID() }

    public func groupID() -> UInt32 { base.groupID() }

    public func spawn(_ image: SpawnImage) throws(SpawnFailure) -> Spawned {
        do { try pass(.spawn) } catch { throw SpawnFailure(stage: .clone, error: error) }
        let spawned = try base.spawn(image)
        began(image, spawned.process)
        return spawned
    }

    public func peekEnded() throws(Errno) -> EndedProcess? {
        try pass(.peekEnded)
        return try base.peekEnded()
    }

    public func reap(_ process: ProcessID) throws(Errno) -> EndedProcess? {
        try pass(.reap)
        return try base.reap(process)
    }

    public func openProcess(_ process: ProcessID) throws(Errno) -> OwnedFD {
        try pass(.openProcess)
        return try base.openProcess(process)
    }

    public func signal(_ pidfd: borrowing OwnedFD, _ signal: Signal) throws(Errno) {
        try pass(.signal)
        try base.signal(pidfd, signal)
    }

    public func becomeSubreaper() throws(Errno) {
        try pass(.becomeSubreaper)
        try base.becomeSubreaper()
    }

    public func limit(_ resource: UInt8) throws(Errno) -> ResourceLimit {
        try pass(.limit)
        return try base.limit(resource)
    }

    public func setLimit(_ limit: ResourceLimit) throws(Errno) {
        try pass(.setLimit)
        try base.setLimit(limit)
    }

    /// Nothing is executed: who plays nexusd's life would be gone with it. Where there is a `succession`, it goes on there.
    public func execute(_ path: String, _ arguments: [String], _ environment: [String]) -> Errno {
        goOn(with: environment)
    }

    public func execute(_ program: borrowing OwnedFD, _ arguments: [String], _ environment: [String]) -> Errno {
        goOn(with: environment)
    }

    private func goOn(with environment: [String]) -> Errno {
        guard let succession else { return .noAccess }
        do throws(Errno) { try pass(.execute) } catch { return error }
        succession(environment)
    }

    public func environment() -> [String] { base.environment() }

    public func setName(_ name: String) {}
}
