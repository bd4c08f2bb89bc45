/// A look at everything of a run, or a signal on its way there. It may be thousands of processes, so it goes in steps:
/// each takes what is left of this turn's looks.
public protocol Sweep: AnyObject {
    /// Goes on; true when it is done.
    func proceed() -> Bool
    /// Goes to the end, whatever that costs.
    func finish()
    /// Processes that got the signal.
    var reached: Int { get }
    /// Whom the signal met outside of the run's cgroup, at most `Self.namedLimit`; empty without one.
    var leavers: [ProcessEntry] { get }
}

extension Sweep {
    /// Processes that are named at most.
    static var namedLimit: Int { 8 }

    /// Nobody.
    public var leavers: [ProcessEntry] { [] }
}
