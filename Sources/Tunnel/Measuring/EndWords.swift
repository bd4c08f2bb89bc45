/// Says how a run of cloudflared ended that nobody asked to: the exit code in words, and the line that tells why.
public struct EndWords: Hashable, Sendable {
    /// `exit 1, it gave up: Could not lookup srv records…`
    public let words: String
    /// What follows from it.
    public let kind: Kind

    /// The ends after which something else is done than nexusd does by itself.
    public enum Kind: Hashable, Sendable {
        /// Cloudflare gives out no more quick tunnels for now.
        case tooMany
        /// Somebody else has its metrics port.
        case portTaken
        /// It found nobody to resolve the edge's names.
        case noNames
        /// Exit 1: it found nothing to connect to.
        case gaveUp
        /// Exit 78: there was nothing that may be started, so tunnel-worker did not become it.
        case notStarted
        case other
    }

    /// Longest line that is kept, in characters: it may end in a remedy.
    static let lineLimit = 500

    /// - Parameters:
    ///   - exit: as nexusd has it: `exit 1`, `signal 9 (KILL)`.
    ///   - byNexusd: why nexusd ended it, in nexusd's words; what it says at its end is no cause then. Nil: nexusd did not.
    ///   - lines: the run's last, the newest last.
    public init(exit: String, byNexusd: String? = nil, lines: [String]) {
        let lines = Self.sinceItStood(lines)
        let isTooMany = lines.contains { $0.contains("429 Too Many Requests") || $0.contains("error code: 1015") }
        let why =
            isTooMany
            ? "too many quick tunnels were asked for from this network (429): wait, or take a named tunnel, nexusctl tunnel setup"
            : Self.cause(in: byNexusd == nil ? lines : lines.filter { !Self.isOrderlyEnd($0) }[...])
        let how = byNexusd.map { "nexusd ended it (\(exit)), \($0)" } ?? Self.inWords(exit)
        words = how + (why.map { ": \($0)" } ?? "")
        kind =
            if isTooMany {
                .tooMany
            } else if why?.contains("address already in use") == true {
                .portTaken
            } else if exit == "exit 1" {
                why.map(Self.isWantOfNames) == true ? .noNames : .gaveUp
            } else if exit == "exit 78" {
                .notStarted
            } else {
                .other
            }
    }

    /// What went wrong before a connection came to stand was overcome, and explains no later end.
    private static func sinceItStood(_ lines: [String]) -> ArraySlice<String> {
        let last = lines.lastIndex { $0.contains("Registered tunnel connection") }
        return lines[(last.map { $0 + 1 } ?? lines.startIndex)...]
    }

    /// As Go's resolver says it, of the edge and of the place that gives out quick tunnels.
    private static func isWantOfNames(_ words: String) -> Bool {
        words.contains("Could not lookup srv records") || words.contains("dial tcp: lookup ")
    }

    /// What it calls errors when it was told to end (cloudflared.md, section 6).
    private static func isOrderlyEnd(_ line: String) -> Bool {
        ["no more connections active and exiting", "graceful shutdown"].contains(where: line.contains)
    }

    /// What is known of its exit codes (cloudflared.md, section 6; 78 is tunnel-worker's own, before it becomes cloudflared).
    private static func inWords(_ exit: String) -> String {
        switch exit {
        case "exit 0": "exit 0, as if it had been told to end"
        case "exit 1": "exit 1, it gave up"
        case "exit 2": "exit 2, a fault of the program's own"
        case "exit 10": "exit 10, it could not update itself"
        case "exit 11": "exit 11, it has put another version in its place"
        case "exit 78": "exit 78, it was not started"
        case "exit 255": "exit 255, it does not take how it was started"
        case _: exit
        }
    }

    /// The last line that is an error, or is none of its log: its last words before a failed start are bare, and so is a fault of
    /// Go's runtime, whose first line says what it is. What is only told on the way is no cause.
    private static func cause(in lines: ArraySlice<String>) -> String? {
        let told = lines.map(LogLine.init)
        let cause =
            told.last { $0.text.contains("cloudflared has been updated") }
            ?? told.first { $0.level == nil && ["panic: ", "fatal error: "].contains(where: $0.text.hasPrefix) }
            ?? told.last { $0.isCause }
        return cause.map { short($0.text) }
    }

    /// Cut behind a word, if there is one, and it shows.
    private static func short(_ text: Substring) -> String {
        guard text.count > lineLimit else { return String(text) }
        let start = text.prefix(lineLimit)
        return (start.lastIndex(of: " ").map { String(start[..<$0]) } ?? String(start)) + " …"
    }

    /// `2026-11-22T11:25:30Z ERR words`, or anything else.
    private struct LogLine {
        /// Nil: the line is none of its log.
        let level: Substring?
        let text: Substring

        init(_ line: String) {
            let parts = line.split(separator: " ", maxSplits: 2)
            let levels = ["DBG", "INF", "WRN", "ERR", "FTL"]
            let isLog = parts.count == 3 && parts[0].hasSuffix("Z") && levels.contains(String(parts[1]))
            level = isLog ? parts[1] : nil
            text = isLog ? parts[2] : line[...]
        }

        var isCause: Bool {
            switch level {
            case "ERR", "FTL": true
            case nil: !text.allSatisfy(\.isWhitespace)
            case _: false
            }
        }
    }
}
