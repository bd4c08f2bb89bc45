/// The command line of nexusd. Its parser is its own: the root process links no library for seven words.
public struct Options: Hashable, Sendable {
    /// `--config FILE`.
    public var config: String?
    /// `--state DIR`.
    public var state: String?
    /// `--runtime DIR`.
    public var runtime: String?
    /// `--plan FILE`: an encoded plan, read directly (tests, benchmarks).
    public var plan: String?
    /// `--last-good`: start from the kept plan when the file is refused.
    public var lastGood = false
    /// What to do.
    public var task = Task.run

    /// What the command line asks for.
    public enum Task: Hashable, Sendable {
        /// Supervise.
        case run
        /// Print the version and end.
        case version
        /// Print the usage and end.
        case help
        /// Say whether this program could go on from the hand-over on standard input, and end.
        case checkHandover
    }

    /// All defaults.
    public init() {}

    /// `arguments` without the program's name.
    public static func parse(_ arguments: some Sequence<String>) throws(StartError) -> Options {
        var options = Options()
        var rest = Array(arguments)[...]
        while let word = rest.popFirst() {
            let (name, attached) = split(word)
            switch name {
            case "--config": options.config = try value(of: name, attached, &rest, after: options.config)
            case "--state": options.state = try value(of: name, attached, &rest, after: options.state)
            case "--runtime": options.runtime = try value(of: name, attached, &rest, after: options.runtime)
            case "--plan": options.plan = try value(of: name, attached, &rest, after: options.plan)
            case "--last-good" where attached == nil: options.lastGood = true
            case "--version" where attached == nil: options.task = .version
            case "--check-handover" where attached == nil: options.task = .checkHandover
            case "--help" where attached == nil: options.task = .help
            case _: throw .usage("unknown argument '\(word)'")
            }
        }
        if options.plan != nil, options.config != nil || options.lastGood {
            throw .usage("--plan goes with neither --config nor --last-good")
        }
        return options
    }

    /// The text of `--help`, and of every usage error.
    public static let usage =
        "usage: nexusd [--config FILE] [--state DIR] [--runtime DIR] [--plan FILE] [--last-good] [--version]"

    private static func split(_ word: String) -> (name: String, value: String?) {
        guard word.hasPrefix("--"), let sign = word.firstIndex(of: "=") else { return (word, nil) }
        return (String(word[..<sign]), String(word[word.index(after: sign)...]))
    }

    private static func value(
        of name: String, _ attached: String?, _ rest: inout ArraySlice<String>, after earlier: String?
    ) throws(StartError) -> String {
        guard earlier == nil else { throw .usage("\(name) is given twice") }
        guard let value = attached ?? rest.popFirst(), !value.isEmpty else { throw .usage("\(name) needs a value") }
        return value
    }
}
