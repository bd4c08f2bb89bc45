/// What a run may take as a whole: its main process and everything that one starts. The kernel keeps these bounds where
/// nexusd has a cgroup with the controllers; `status` names what is not in force and why.
public struct RunBounds: Hashable, Sendable {
    /// Memory in bytes that the run may have; more ends it as `oom`.
    public var memoryMax: UInt64?
    /// Memory in bytes above which the run is slowed down and its pages are taken back.
    public var memoryHigh: UInt64?
    /// When a run that has grown is to be replaced.
    public var recycle: RecycleRule?
    /// Processes and threads at a time.
    public var processes: UInt32?
    /// Share of the processors in relation to siblings, 1 to 10,000; the kernel's default is 100.
    public var cpuWeight: UInt16?

    /// No bounds.
    public init(
        memoryMax: UInt64? = nil, memoryHigh: UInt64? = nil, recycle: RecycleRule? = nil, processes: UInt32? = nil,
        cpuWeight: UInt16? = nil
    ) {
        self.memoryMax = memoryMax
        self.memoryHigh = memoryHigh
        self.recycle = recycle
        self.processes = processes
        self.cpuWeight = cpuWeight
    }
}

/// A run that has grown above this is replaced when it is idle: what leaks gets a fresh start.
public struct RecycleRule: Hashable, Sendable {
    /// Memory in bytes.
    public var above: UInt64
    /// How long it may go on being busy before it is replaced all the same.
    public var patience: Duration

    /// Both.
    public init(above: UInt64, patience: Duration = .seconds(3600)) {
        self.above = above
        self.patience = patience
    }
}
