import Synchronization
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import LogStore

/// Rotation overtakes a reader at every place where it can: before each of its calls, in turn.
@Suite("Overtaken readers", .timeLimit(.minutes(1))) struct OvertakenTests {
    private let home = TemporaryDirectory()

    /// A writer's numbered lines, a few of which fill a file.
    private struct Lines: Sendable {
        let directory: String
        private(set) var count = 0

        init(directory: String) { self.directory = directory }

        /// Writes until so many files were rotated, and then some lines more.
        mutating func write(rotations: Int) {
            let kernel = LiveKernel()
            var rotation = Rotation(fileBytes: 0, files: 100)
            // Smaller than anybody may ask for: there are many files to fill.
            rotation.fileBytes = 2000
            let file = LogFile(kernel, directory: directory, rotation: rotation)
            let padding = String(repeating: "x", count: 300)
            var rotated = 0
            var rest = 5
            while rest > 0 {
                let stamp = WallStamp(nanoseconds: kernel.wallClock())
                let bytes = EntryFormat.entry(
                    stamp, RunID(second: 1, count: 1), .child(.stdout), .info, text: "\(count) \(padding)")
                var offset = 0
                do { try bytes.withUnsafeBytes { try file.append($0, from: &offset) } } catch {
                    Issue.record(error)
                    return
                }
                count += 1
                rotated += file.hasRotated ? 1 : 0
                file.hasRotated = false
                if rotated >= rotations { rest -= 1 }
            }
        }
    }

    private func numbers(of session: LogSession) -> [Int] {
        var numbers: [Int] = []
        session.read {
            numbers.append($0.text.split(separator: " ").first.flatMap { Int($0) } ?? -1)
            return true
        }
        return numbers
    }

    /// What is asked for, and how many of the lines that were there before have to be shown at least; nil: all of them.
    private static let queries: [(LogQuery, Int?)] = [
        (LogQuery(), nil), (LogQuery(last: 1_000_000), nil), (LogQuery(last: 3), 3),
        (LogQuery(since: WallStamp(microseconds: 0)), nil),
    ]

    @Test(arguments: 0..<2, queries.indices) func rotationAtAnyInstant_losesNoLine(before: Int, choice: Int) throws {
        let (query, least) = Self.queries[choice]
        for rotations in 1...2 {
            var calls = 0
            var isOvertaken = true
            while isOvertaken {
                calls += 1
                let child = "web-\(rotations)-\(calls)"
                let lines = Mutex(Lines(directory: home.path + "/" + child))
                lines.withLock { $0.write(rotations: before) }
                let old = lines.withLock { $0.count }
                let kernel = FaultyKernel()
                kernel.meanwhile(beforeCall: calls) { lines.withLock { $0.write(rotations: rotations) } }
                let session = try LogReader(directory: home.path, kernel: kernel).open([child], query)
                let seen = numbers(of: session) + numbers(of: session)
                let all = lines.withLock { $0.count }
                isOvertaken = all > old
                // Of the last ones those that were the last when it looked: the new ones may be among them.
                let first = least.map { min(seen.first ?? all, all - $0) } ?? 0
                #expect(seen == Array(first..<all), "\(rotations) rotated before call \(calls)")
                #expect(first >= least.map { old - $0 } ?? 0)
            }
            #expect(calls > 5, "the last one met none")
        }
    }
}
