import CNexus
import Glibc
import SupervisorCore
import System

/// `log-writer --directory DIR [--no-journal] [--max-age SECONDS] [--total BYTES] [--compress PROGRAM]`.
public enum LogWriterCommand {
    /// The descriptor on which nexusd puts the log link.
    static let linkDescriptor: Int32 = 3

    /// Serves and gives back the exit status: 0 drained, 1 failed, 64 wrong words (EX_USAGE).
    public static func run(_ words: [String]) -> Int32 {
        var directory: String?
        var journal: String? = JournalSink.standardPath
        var retention = Retention()
        var rest = words[...]
        while let word = rest.popFirst() {
            switch word {
            case "--directory": directory = rest.popFirst()
            case "--no-journal": journal = nil
            case "--max-age":
                guard let seconds = number(rest.popFirst()) else { return usage("--max-age wants seconds above 0") }
                retention.maxAge = .seconds(seconds)
            case "--total":
                guard let bytes = number(rest.popFirst()) else { return usage("--total wants bytes above 0") }
                retention.totalBytes = bytes
            case "--compress":
                guard let path = rest.popFirst(), path.hasPrefix("/") else {
                    return usage("--compress wants the absolute path of zstd")
                }
                retention.compressor = path
            case _: return usage("unknown word \(word)")
            }
        }
        guard let directory, !directory.isEmpty else { return usage("--directory DIR is missing") }
        nexus_keep_heap_small()
        let kernel = LiveKernel()
        let link = OwnedFD(owning: linkDescriptor)
        guard (try? kernel.status(link).kind) == .socket else {
            say(
                "log-writer: its descriptor 3 is no log link: nexusd starts it and gives it one; to read logs: nexusctl logs"
            )
            _ = link.release()
            return 1
        }
        raiseDescriptorLimit(kernel)
        do {
            try LogWriter(
                kernel, directory: directory, journal: journal, link: link, run: ownRun, retention: retention
            ).run()
            return 0
        } catch {
            say("\(error)")
            return 1
        }
    }

    private static var ownRun: RunID? { getenv("NEXUS_RUN_ID").flatMap { RunID(String(cString: $0)) } }

    /// A file and two pipes a child: the soft limit of 1,024 would end at about 300 children.
    private static func raiseDescriptorLimit(_ kernel: LiveKernel) {
        guard var limit = try? kernel.limit(ResourceLimit.openFiles) else { return }
        limit.soft = limit.hard
        try? kernel.setLimit(limit)
    }

    private static func number(_ word: String?) -> Int64? {
        guard let word, let number = Int64(word), number > 0 else { return nil }
        return number
    }

    private static func usage(_ problem: String) -> Int32 {
        let options = "--directory DIR [--no-journal] [--max-age SECONDS] [--total BYTES] [--compress PROGRAM]"
        say("log-writer: \(problem)\nusage: log-writer \(options)   (descriptor 3: the log link)")
        return 64
    }

    private static func say(_ text: String) {
        let standardError = OwnedFD(owning: 2)
        try? LiveKernel().writeAll(standardError, Array((text + "\n").utf8))
        _ = standardError.release()  // it is the process's own: not to be closed here
    }
}
