import Wire

/// Children whose log files take nothing: why, and how many lines that has cost so far. It outlives log-writers, until one
/// has said in the file what is missing there.
struct UnfiledLines {
    struct Loss {
        /// Nil: no log-writer has said.
        var trouble: String?
        /// Since it began.
        var lines: UInt64 = 0
        /// Those of them that the file does not speak of yet.
        var unsaid: UInt64 = 0
    }

    var losses: [String: Loss] = [:]

    /// Why, when log-writer gives no other reason.
    static let usualTrouble = "the log files took nothing for 5 s"

    func trouble(of child: String) -> String { losses[child]?.trouble ?? Self.usualTrouble }

    /// Without trouble it is over.
    mutating func tell(_ child: String, trouble: String) {
        if trouble.isEmpty { losses[child] = nil } else { losses[child, default: Loss()].trouble = trouble }
    }

    mutating func count(_ child: String, lines: UInt64) {
        guard lines > 0 else { return }
        losses[child, default: Loss()].lines += lines
        losses[child, default: Loss()].unsaid += lines
    }

    /// The file says what is missing in it; it may refuse something else yet.
    mutating func remarked(_ child: String) { losses[child]?.unsaid = 0 }

    /// Log-writer is gone: what only it could know to be over is forgotten, what is to be said in the files is not.
    mutating func logWriterEnded() { losses = losses.filter { $0.value.unsaid > 0 } }

    /// For the next one.
    var orders: [LogOrder] {
        losses.filter { $0.value.unsaid > 0 }.sorted { $0.key < $1.key }
            .map { .missing(child: $0.key, lines: $0.value.unsaid) }
    }

    /// For `status`, while there is something; whoever lost the most is named.
    var note: String? {
        let first = losses.min { ($1.value.lines, $0.key) < ($0.value.lines, $1.key) }
        guard let first else { return nil }
        let lines = losses.values.reduce(0) { $0 &+ $1.lines }
        let who = losses.count == 1 ? "\(first.key) says" : "\(first.key) and \(losses.count - 1) more say"
        let lost = lines == 0 ? "" : ", \(lines) line\(lines == 1 ? " is" : "s are") lost so far"
        return "what \(who) is not filed\(lost): \(first.value.trouble ?? Self.usualTrouble)"
    }
}
