import ControlClient

/// What differs between the programs that have accepted copies.
protocol UpdateSubject {
    /// The program's name.
    static var program: String { get }
    init(_ place: Place, _ options: UpdateOptions)
    /// The child, as the file has it now.
    func child() throws(ControlError) -> AgentChild
    /// Asks a file for its version; the error says why it is not taken.
    func version(of path: String, from origin: String, _ child: AgentChild) throws(ControlError) -> String
    /// Refuses what could not be tried, as the link leads now, before anything that runs is touched.
    func check(_ tried: String?) throws(ControlError)
    /// Waits until a fresh run may be asked for, before anything is switched.
    mutating func awaitStable(_ child: AgentChild) throws(ControlError)
    /// Waits until nobody is disturbed by a fresh run, for what makes another plan before it is taken over.
    func awaitIdle() throws(ControlError)
    /// Has the tree run what the link leads to, and waits until that serves. False: nothing runs that could take it.
    /// - Parameters:
    ///   - tried: where the tree has to find it; nil: wherever a search finds it.
    ///   - isAtOnce: it is not waited for that anything is idle.
    func takeOver(_ tried: String?, isAtOnce: Bool) throws(ControlError) -> Bool
    /// Has it do something that costs nothing; the error says what went wrong. What was seen, in words.
    func canary() throws(ControlError) -> String
}

/// How an update goes about it.
struct UpdateOptions {
    /// Busy or not.
    let isNow: Bool
    /// How long it may take until it is ready and has passed its canary, in milliseconds.
    let serveMilliseconds: Int64
    /// How long it is waited for that the agent is idle; nil: as long as nexusd waits.
    let idleMilliseconds: Int64?
    /// Nothing is said on standard output.
    let isQuiet: Bool

    func say(_ text: String) {
        if !isQuiet { Output.tell(Terminal.clean(text)) }
    }
}
