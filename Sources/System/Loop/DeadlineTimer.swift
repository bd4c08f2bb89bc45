public import SupervisorCore

/// One timerfd armed at the earliest of the loop's deadlines. Setting the instant it has already costs no syscall.
public struct DeadlineTimer: ~Copyable {
    private let kernel: any Kernel
    /// To be watched for `readable`.
    public let fd: OwnedFD
    /// The instant it is armed at; nil: disarmed.
    public private(set) var deadline: Instant?

    /// Disarmed.
    public init(_ kernel: any Kernel) throws(Errno) {
        self.kernel = kernel
        fd = try kernel.makeTimer()
    }

    /// Arms it at this instant of CLOCK_MONOTONIC, or disarms it.
    public mutating func set(to instant: Instant?) throws(Errno) {
        guard instant != deadline else { return }
        try kernel.setTimer(fd, to: instant)
        deadline = instant
    }

    /// Takes the expiry out, so that the descriptor is not ready any more; to be called when it was reported.
    public mutating func acknowledge() throws(Errno) {
        var count: UInt64 = 0
        do {
            _ = try withUnsafeMutableBytes(of: &count) { buffer throws(Errno) in try kernel.read(fd, into: buffer) }
            deadline = nil
        } catch  where error == .again {}  // armed anew since: not expired
    }
}
