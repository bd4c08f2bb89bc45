public import System

/// The one place that reaps. pidfds only signal and wake: two reapers would steal each other's exit status.
public struct Reaper {
    private let kernel: any Kernel

    /// Reaps every child of this process, adopted orphans included.
    public init(_ kernel: any Kernel) { self.kernel = kernel }

    /// What there was to reap.
    public enum Step: Hashable, Sendable {
        /// This one, gone now.
        case reaped(EndedProcess)
        /// Children, but none has ended.
        case nothing
        /// No child at all: below a subreaper that is the proof that nothing is left.
        case childless
    }

    /// Reaps one. `before` is called while the process can still be looked up: what it said last (its notify socket)
    /// is to be read empty then. To be called until it says `nothing` or `childless`, as SIGCHLDs merge.
    public func next(before: (ProcessID) -> Void) throws(Errno) -> Step {
        let ended: EndedProcess
        do {
            guard let found = try kernel.peekEnded() else { return .nothing }
            ended = found
        } catch  where error == .noChild {
            return .childless
        }
        before(ended.process)
        return .reaped(try kernel.reap(ended.process) ?? ended)
    }
}
