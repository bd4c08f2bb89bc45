import SupervisorCore

/// What is known of the end of a run beyond how it exited: which socket could not be had, which limit was passed, what a
/// probe got. For `status` and `why`; most ends have none.
final class EndRemark {
    let run: RunID
    /// One sentence without a full stop.
    let words: String
    /// The keys of Supervisor.toml it is about, the most telling first; each with its value, where nexusd knows it.
    let settings: [Explanation.Setting]

    /// Of a run that called its watchdog itself.
    static let triggered = "it said WATCHDOG=trigger"
    /// Of a run that asked for another in its place.
    static let wished = "it asked for its own restart"
    /// How the words end of a run that had not the watchdog of its key.
    static let ownWatchdog = ", as it chose itself by WATCHDOG_USEC"

    /// How the words begin of an end by which a limit may show, and many another fault.
    static let possible = "it may have run into its limit"

    init(_ run: RunID, _ words: String, _ settings: [Explanation.Setting] = []) {
        self.run = run
        self.words = words
        self.settings = settings
    }
}
