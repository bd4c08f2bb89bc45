import System

/// What nexusd is at, for the words of whoever finds it not listening (docs/control-protocol.md). Everybody may read it, as they
/// may not the lock; output alone, so that nothing depends on whether it can be written.
struct StageFile {
    private let kernel: any Kernel
    private let path: String

    init(_ kernel: any Kernel, path: String) {
        self.kernel = kernel
        self.path = path
    }

    /// Where nexusd is between its start and its end.
    enum Stage {
        /// It answers nobody before it has done this.
        case starting(String)
        case serving
        case ending

        fileprivate var words: String {
            switch self {
            case .starting(let task): "starting: \(task)"
            case .serving: "serving"
            case .ending: "ending"
            }
        }
    }

    /// Replaces what was there.
    func tell(_ stage: Stage) {
        let text = "\(kernel.processID())\n\(stage.words)\n"
        try? kernel.replaceFile(path, with: Array(text.utf8), mode: 0o644)
    }

    func remove() { try? kernel.removeFile(path) }
}
