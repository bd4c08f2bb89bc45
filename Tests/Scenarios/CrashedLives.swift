import Foundation
import Synchronization
import Testing

/// A child that counts lines beside the chat, and what is promised of processes, runs and lines whoever is killed.
struct CrashedLives {
    private let box: Box
    private let watch: RunWatch
    private var counted: String { box.directory + "/counted" }

    /// To be added to the box's Supervisor.toml.
    static let table = """

        [child.counter]
        command = ["FIXTURE", "count-in", "DIR/counted", "2000"]
        delay = { first = "20ms", cap = "200ms", stable-after = "50ms" }
        log = { size = "1GB", rate = "none" }

        """

    init(_ box: Box) {
        self.box = box
        watch = RunWatch(lifeBook: box.runtime + "/life")
    }

    /// Once the tree has ended.
    func judge(_ seed: String) throws -> String {
        let (looks, doubled) = watch.end()
        #expect(doubled.isEmpty, "\(seed): two runs of one child at a time: \(doubled.prefix(5))")
        #expect(looks > 20)
        // The kernel's own word for the same: each run of the counter locks its file.
        #expect(!FileManager.default.fileExists(atPath: counted + ".two"), "\(seed): two counters at a time")
        let left = watch.alive()
        #expect(left.isEmpty, "\(seed): left when the tree had ended: \(left)")
        return try "\(looks) looks at all processes, \(judgeLines(seed)), \(judgeRuns(seed))"
    }

    /// Some may come twice, none is missing, none is torn.
    private func judgeLines(_ seed: String) throws -> String {
        let count = try Data(contentsOf: URL(fileURLWithPath: counted)).withUnsafeBytes {
            $0.loadUnaligned(as: Int.self)
        }
        let log = try String(contentsOfFile: box.state + "/logs/counter/current", encoding: .utf8)
        var seen: Set<Int> = []
        var (lines, odd) = (0, 0)
        for line in log.split(separator: "\n") {
            let words = line.split(separator: " ")
            lines += 1
            if words.dropLast().last == "line", let number = Int(words.last!) { seen.insert(number) } else { odd += 1 }
        }
        let missing = (0..<count).filter { !seen.contains($0) }
        #expect(missing.isEmpty, "\(seed): \(missing.count) of \(count) lines are missing: \(missing.prefix(10))")
        #expect(odd == 0 && count > 200, "\(seed): \(odd) torn lines of \(lines)")
        return "\(count) numbered lines, \(lines - count) of them twice"
    }

    /// Every run that was begun has one end in the book of runs; log-writer's own, and what it was told when it was killed,
    /// may stand there twice, and the last holds.
    private func judgeRuns(_ seed: String) throws -> String {
        let book = try String(contentsOfFile: box.state + "/logs/runs", encoding: .utf8)
        var begun: [Substring] = []
        var ends: [Substring: [Substring]] = [:]
        for line in book.split(separator: "\n") {
            let words = line.split(separator: "\t")[0].split(separator: " ", maxSplits: 4)
            guard words.count >= 4 else { continue }
            if words[2] == "starting" { begun.append(words[1]) }
            if words[2] == "ended" {
                ends[words[1], default: []].append(words.count > 4 ? words[3] + " " + words[4] : "?")
            }
        }
        let endless = Set(begun).filter { ends[$0] == nil }
        #expect(endless.isEmpty, "\(seed): no end record of \(endless)")
        let several = ends.values.filter { Set($0).count > 1 && !$0[0].hasPrefix("log-writer ") }
        #expect(several.isEmpty, "\(seed): two ends of one run: \(several.prefix(5))")
        #expect(Set(ends.keys).subtracting(begun).isEmpty, "\(seed): ends of runs that were not begun")
        return "\(Set(begun).count) runs with an end each"
    }
}

/// Looks at all processes of a box, again and again: two runs of one child must not be alive at the same time.
final class RunWatch: @unchecked Sendable {
    // @unchecked: the path is never changed; all else is behind the lock.
    private let lifeBook: String
    private struct State {
        var lives: Set<String> = []
        var looks = 0
        var doubled: Set<String> = []
        var isOver = false
        var hasEnded = false
    }
    private let state = Mutex(State())

    private struct Seen: Hashable {
        var pid: Int32
        var run: String
        var started: String
    }

    init(lifeBook: String) {
        self.lifeBook = lifeBook
        Thread.detachNewThread { [self] in
            while !state.withLock({ $0.isOver }) {
                look()
                usleep(20_000)
            }
            state.withLock { $0.hasEnded = true }
        }
    }

    /// How often was looked, and what was seen.
    func end() -> (looks: Int, doubled: [String]) {
        state.withLock { $0.isOver = true }
        while !state.withLock({ $0.hasEnded }) { usleep(2000) }
        return state.withLock { ($0.looks, $0.doubled.sorted()) }
    }

    /// What is alive of any life that was seen.
    func alive() -> [String] {
        processes().flatMap { child, seen in seen.map { "\(child) \($0.pid) of run \($0.run)" } }
    }

    private func look() {
        let book = (try? String(contentsOfFile: lifeBook, encoding: .utf8)) ?? ""
        state.withLock { $0.lives.formUnion(book.split(separator: "\n").map(String.init)) }
        for (child, seen) in processes() where Set(seen.map(\.run)).count > 1 {
            // Not all of them were looked at in one instant: those that are still there were alive together.
            let together = seen.filter { Self.started($0.pid) == $0.started }
            if Set(together.map(\.run)).count > 1 {
                state.withLock { _ = $0.doubled.insert("\(child): \(together)") }
            }
        }
        state.withLock { $0.looks += 1 }
    }

    private func processes() -> [String: Set<Seen>] {
        let lives = state.withLock { $0.lives }
        var found: [String: Set<Seen>] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let pid = Int32(name), let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/environ") else {
                continue
            }
            var values: [Substring: String] = [:]
            for variable in String(decoding: bytes, as: UTF8.self).split(separator: "\0") {
                let pair = variable.split(separator: "=", maxSplits: 1)
                if pair.count == 2, pair[0].hasPrefix("NEXUS_") { values[pair[0]] = String(pair[1]) }
            }
            guard let life = values["NEXUS_LIFE"], lives.contains(life), let child = values["NEXUS_CHILD"],
                let run = values["NEXUS_RUN_ID"], let started = Self.started(pid)
            else { continue }
            found[child, default: []].insert(Seen(pid: pid, run: run, started: started))
        }
        return found
    }

    /// When a process that is no zombie was started, by the kernel's clock: proc_pid_stat(5), field 22.
    private static func started(_ pid: Int32) -> String? {
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let close = stat.lastIndex(of: ")")
        else { return nil }
        let fields = stat[stat.index(after: close)...].split(separator: " ")
        return fields.count > 19 && fields[0] != "Z" && fields[0] != "X" ? String(fields[19]) : nil
    }
}
