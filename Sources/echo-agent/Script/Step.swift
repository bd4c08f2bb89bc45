/// What the stand-in does in a turn, one thing after the other.
enum Step: Sendable {
    /// Streams text, word by word; the first `slow` ones with `Answer.slowPause` before them.
    case say([String], slow: Int)
    /// Streams reasoning.
    case think([String])
    /// Runs a tool, as if.
    case use(ToolUse)
    /// Says nothing for so long.
    case stall(Duration)
    /// Ends the process as a crash does.
    case crash
    /// Ends the turn with an error of the model provider.
    case fail(MessageInfo.Problem)
    /// Waits and tries again, as opencode does when its provider is overloaded.
    case retry(attempts: Int, message: String)
    /// Writes a list of things to do.
    case plan
    /// Says that a file was changed.
    case change

    /// A call of a tool.
    struct ToolUse: Sendable {
        var name: String
        var input: [String: String]
        var title: String
        /// Comes piece by piece.
        var output: [String]
        /// What has to be answered first.
        var ask: Ask?
        /// It is asked by a session that this one starts.
        var inChild = false

        enum Ask: Sendable {
            case permission(String, patterns: [String], always: [String])
            case questions([QuestionRequest.Question])
        }
    }
}
