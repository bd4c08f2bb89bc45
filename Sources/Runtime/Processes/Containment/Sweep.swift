/// A look at everything of a run, or a signal on its way there. It may be thousands of processes, so it goes in steps:
/// each takes what is left of this turn's looks.
public protocol Sweep: AnyObject {
    /// Goes on; true when it is done.
    func proceed() -> Bool
    /// Goes to the end, whatever that costs.
    func finish()
    /// Processes that got the signal.
    var reached: Int { get }
}
