import System

/// What nexusd is at, for the words of whoever finds it not listening (docs/control-protocol.md). Everybody may read it, as they
/// may not the lock; output alone, and nothing but an upgrade depends on whether it can be written.
struct StageFile {
    private let kernel: any Kernel
    private let path: String

    private static let handingOver = "handing over: "
    /// Bytes of a file that says so.
    private static let limit = 256

    init(_ kernel: any Kernel, path: String) {
        self.kernel = kernel
        self.path = path
    }

    /// Where nexusd is between its start and its end.
    enum Stage {
        /// It answers nobody before it has done this.
        case starting(String)
        case serving
        /// The next program is executed in its place, and has not said yet that it serves.
        case handingOver(BegunUpgrade)
        case ending

        fileprivate var words: String {
            switch self {
            case .starting(let task): "starting: \(task)"
            case .serving: "serving"
            case .handingOver(let upgrade): StageFile.handingOver + upgrade.words
            case .ending: "ending"
            }
        }
    }

    /// Replaces what was there.
    func tell(_ stage: Stage) { try? write(stage) }

    /// The same, for what must be known: units/after-stop keeps the runs of an upgrade by it.
    func write(_ stage: Stage) throws(Errno) {
        let text = "\(kernel.processID())\n\(stage.words)\n"
        try kernel.replaceFile(path, with: Array(text.utf8), mode: 0o644)
    }

    /// The upgrade in which the nexusd before this one ended; nil: it ended in none.
    func interruptedUpgrade() -> BegunUpgrade? {
        guard let content = try? kernel.readFile(path, limit: Self.limit) else { return nil }
        let lines = String(decoding: content, as: UTF8.self).split(separator: "\n")
        // units/after-stop may have added one.
        guard lines.count > 1, lines[1].hasPrefix(Self.handingOver) else { return nil }
        return BegunUpgrade(words: lines[1].dropFirst(Self.handingOver.count))
    }

    func remove() { try? kernel.removeFile(path) }
}
