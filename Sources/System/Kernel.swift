/// Every syscall that nexusd and log-writer make, so that tests can make the N-th one fail (`FaultyKernel`).
///
/// Rules for every requirement: it throws the errno, restarts on EINTR unless its comment says otherwise, and lets
/// EAGAIN through. Whatever opens a descriptor opens it close-on-exec, and non-blocking where that means something.
/// Each family has its own file in `Calls` with its own protocol and the live implementation beside it.
public protocol Kernel: AnyObject, ClockCalls, PathCalls, FileCalls, MemoryCalls, PipeCalls, EventCalls, SocketCalls,
    MessageCalls, ProcessCalls
{}

/// The real kernel.
public final class LiveKernel: Kernel, Sendable {
    /// Stateless; one is enough.
    public init() {}
}
