/// Every syscall that nexusd and log-writer make, so that tests can make the N-th one fail (`FaultyKernel`).
///
/// Rules for every requirement: it throws the errno, restarts on EINTR unless its comment says otherwise, and lets
/// EAGAIN through. Each family has its own file with its own protocol and the live implementation beside it.
public protocol Kernel: AnyObject, ClockCalls, FileCalls {}

/// The real kernel.
public final class LiveKernel: Kernel {
    /// Stateless; one is enough.
    public init() {}
}
