import SupervisorCore

/// Signals as events: blocked for the thread and read from a signalfd.
public struct SignalSource: ~Copyable {
    private let kernel: any Kernel
    /// To be watched for `readable`.
    public let fd: OwnedFD

    /// Blocks these signals from now on. SIGPIPE is ignored with them: every write reports EPIPE instead; and so is what
    /// ends a process by default though it is no fault of its own: a stray SIGUSR1 must not take a whole tree down. SIGCHLD
    /// is no longer ignored where a caller ignored it: the kernel would reap everybody itself (wait(2)).
    public init(_ kernel: any Kernel, _ signals: SignalSet) throws(Errno) {
        self.kernel = kernel
        try kernel.block(signals)
        if signals.contains(.child) { try kernel.restore([.child]) }
        try kernel.ignore(SignalSet.strays.subtracting(signals))
        fd = try kernel.makeSignalFD(signals)
    }

    /// The next pending signal; nil when there is none. Equal signals that came together are one.
    public func next() throws(Errno) -> ReceivedSignal? { try kernel.readSignal(fd) }
}
