/// Every bound of this library, with its reason.
public enum Limits {
    /// Longest frame of the event stream in bytes; a longer one ends the connection, which is then made anew.
    public static let frameBytes = 1 << 20
    /// Chunks of the event stream that wait to be parsed (libcurl gives at most 16 KiB a chunk).
    public static let streamChunks = 256
    /// Longest answer that is read in bytes: a page of messages with long tool outputs is the largest there is.
    public static let answerBytes = 32 << 20
    /// Facts that wait for one turn; above that they are dropped and the state is read anew.
    public static let turnFacts = 4096
    /// Text of one turn in bytes that is kept to compare with what the server has stored.
    public static let turnTextBytes = 8 << 20
    /// Turns that go on while nobody listens, of which the text is kept meanwhile.
    public static let leftTurns = 8
    /// Messages of one page, and pages of one re-read.
    public static let pageMessages = 50
    /// Pages of one re-read; a turn with more messages than 50 × 40 is not read back whole.
    public static let pages = 40
    /// Ids that are remembered of one turn: messages, blocks, permissions, questions, each.
    public static let turnIDs = 10_000

    /// For a connection on the loopback interface.
    public static let connectTime = Duration.seconds(2)
    /// For an answer of a call that only reads or hands over.
    public static let callTime = Duration.seconds(15)
    /// For an answer to a look at its health.
    public static let healthTime = Duration.seconds(5)
    /// Silence after which the event stream counts as dead: three of the server's heartbeats (10 s).
    public static let streamSilence = Duration.seconds(30)
    /// The same for the 2.x line, whose heartbeat is a comment every 15 s.
    public static let streamSilenceV2 = Duration.seconds(45)
    /// Pauses between attempts to connect: from, and doubling up to.
    public static let firstPause = Duration.milliseconds(50)
    /// See `firstPause`. Loopback connections are cheap, and a replaced opencode wants to be found within a second.
    public static let longestPause = Duration.milliseconds(500)
    /// Pause when nothing will change by itself soon: a wrong password, an unknown version.
    public static let refusedPause = Duration.seconds(10)

    /// How long a caller may wait for opencode to be there.
    public static let readyTime = Duration.seconds(20)
    /// The same for a turn, before it is refused as not handed over: longer than a replaced opencode is away, and short
    /// enough that chat-bridge, which keeps the turn and tries again, can say what it waits for.
    public static let handOverTime = Duration.milliseconds(1500)
    /// How often a running turn looks at the clock.
    public static let tick = Duration.seconds(1)
    /// A turn that hears nothing for this long reads the state anew: its last event may be lost.
    public static let quietTime = Duration.seconds(30)
    /// Idle for so long with a turn that looks unfinished: it will not go on. Between two steps opencode may say idle.
    public static let idleTime = Duration.seconds(5)
    /// Idle for so long with no answer begun: the prompt came to nothing.
    public static let beginTime = Duration.seconds(20)
    /// Without an answer of the server for so long during a turn: it is given up as interrupted.
    public static let lostTime = Duration.seconds(60)
    /// A permission or question that still waits so long after the answer by default stops its turn.
    public static let defaultAnswerTime = Duration.seconds(30)
    /// Pause between two looks at whether something still waits for the user.
    public static let pendingPause = Duration.seconds(5)
    /// How long a turn that nobody follows any more may take to stop …
    public static let stopTime = Duration.seconds(5)
    /// … and the pause between two looks at whether it has.
    public static let stopPause = Duration.milliseconds(50)
    /// Pause between two looks at the health.
    public static let healthPause = Duration.seconds(10)
}
