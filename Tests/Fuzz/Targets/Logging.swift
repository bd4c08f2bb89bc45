import SupervisorCore

@testable import LogStore

extension Target {
    /// A child's bytes, as log-writer cuts them: entries are bounded, one line each, and none is lost on the way.
    static let logLines = Target(
        name: "log-lines",
        feed: { bytes in
            let prefix = EntryFormat.prefix(WallStamp(microseconds: 0), RunID(second: 1, count: 1), .child(.stdout))
            var formatter = LineFormatter(pipeBytes: 4096, redaction: Redaction(["geheim-1234"]))
            var target = [UInt8](repeating: 0, count: 64 * 1024 + bytes.count * 64)
            var taken = 0
            let result = bytes.withUnsafeBytes { source in
                target.withUnsafeMutableBytes { target in
                    formatter.format(source, remainder: .isLast, prefix: prefix, into: target) { text, _ in
                        must(text.count <= 1024, "an entry beyond its bound")
                        taken += 1
                    }
                }
            }
            must(result.consumed == bytes.count, "bytes were left although the target has room")
            let written = target[..<result.written].split(separator: 0x0A)
            must(written.count == taken, "entries and lines differ")
        },
        seeds: {
            ["one\ntwo\n", "<3>error: x\n\u{1B}[31mred", "geheim-1234 and more\n", "half"].map { Array($0.utf8) }
        })

    /// log-writer's own files, as a crash, a disk or a person may leave them: lines of logs and of the book of runs.
    static let logFiles = Target(
        name: "log-files",
        feed: { bytes in
            var joiner = EntryJoiner()
            for line in bytes.split(separator: 0x0A) {
                if let entry = line.withUnsafeBytes({ LogEntry(line: $0, child: "a") }) { _ = joiner.take(entry) }
                _ = BookLine(line)
            }
            _ = joiner.finish()
        },
        seeds: {
            let run = RunID(second: 1, count: 2)
            let stamp = WallStamp(nanoseconds: 1_800_000_000_000_000_000)
            return [
                EntryFormat.entry(stamp, run, .child(.stdout), .info, text: "hello"),
                Array(BookLine(stamp: stamp, run: run, event: .ended, child: "a", text: "exit 0").bytes),
            ]
        })
}
