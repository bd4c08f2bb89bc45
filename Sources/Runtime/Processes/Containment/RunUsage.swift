/// What a run has taken, as far as it can be known.
public struct RunUsage: Hashable, Sendable {
    /// Processor time of everything in its cgroup; without one, of the processes nexusd started and what they waited for.
    public var cpu: Duration?
    /// The most memory at a time in bytes: of the whole run where the kernel counts it, else the highest resident size of
    /// one process, where that is above what it may have from nexusd.
    public var peakBytes: UInt64?

    /// Both.
    public init(cpu: Duration? = nil, peakBytes: UInt64? = nil) {
        self.cpu = cpu
        self.peakBytes = peakBytes
    }
}
