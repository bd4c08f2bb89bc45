import Glibc
import LogStore
import SupervisorCore
import System
import TestSupport
import Wire

/// One life of log-writer with one fault, in a process of its own, with a nexusd that is played: it replaces a log-writer
/// that ends, and after a while one whose calls go on failing. What was handed over has to be in the files then.
struct LogFaultLife {
    /// What children and nexusd say meanwhile.
    enum Script: String, CaseIterable {
        /// Few lines of two children, events for the book, another description of a stream.
        case words
        /// 3,000 lines in a moment, over several files.
        case flood
        /// log-writer is killed in the middle.
        case crash
    }

    let script: Script
    let fault: FaultyKernel.Fault?

    /// For a life with one failure, on a machine with much else to do.
    static let patience: Duration = .seconds(20)
    /// Before one whose calls fail for ever is replaced; long before it may drop anything (5 s).
    static let shortPatience: Duration = .milliseconds(250)

    struct Outcome {
        var complaint: String?
        /// How many calls could have answered an error; of a life that ended by itself.
        var places: [Errno: Int] = [:]
    }

    func play() throws -> Outcome {
        let box = LogBox()
        let results = try box.kernel.makePipe(blocking: .write)
        var outcome = Outcome()
        var course = try Course(box, isSticky: fault?.forEver ?? false)
        try course.begin(fault, results.write.raw)
        let lines = script == .flood ? 3000 : 40
        let (one, end) = try box.stream("web", fileBytes: 65_536, files: 1000)
        let (two, other) = try box.stream("db", .stderr)
        // All of it fits into the pipe: no thread of this process may hold a lock while it forks.
        try end.write((0..<lines).flatMap { Array("line \($0)\n".utf8) })
        end.close()
        try other.write("first\nsecond\n")
        for number in 0..<10 {
            let run = RunID(second: 7, count: UInt32(number + 1))
            try course.send(
                LogEvent(
                    priority: 6, messageID: "", message: "event \(number)", child: "web", run: run, book: .starting))
        }
        if script == .crash { try course.kill() }
        other.close()
        outcome.complaint = try course.waitForEnds(of: [one, two])
        outcome.complaint = try outcome.complaint ?? course.drain()
        outcome.places = Self.places(results.read)
        if outcome.complaint == nil { outcome.complaint = try verdict(on: box, lines) }
        return outcome
    }

    private func verdict(on box: LogBox, _ lines: Int) throws -> String? {
        let found = Set(try box.entries(["web"]).map(\.text))
        let missing = (0..<lines).filter { !found.contains("line \($0)") }
        guard missing.isEmpty else { return "\(missing.count) lines are missing, the first is \(missing[0])" }
        guard found.count == lines else { return "torn lines: \(found.filter { !$0.hasPrefix("line ") }.prefix(3))" }
        guard Set(try box.entries(["db"]).map(\.text)) == ["first", "second"] else { return "db's lines are missing" }
        let events = Set(try box.entries(["nexusd"]).map(\.text))
        let unsaid = (0..<10).filter { !events.contains("event \($0)") }
        guard unsaid.isEmpty else { return "events are missing: \(unsaid)" }
        let book = String(decoding: try box.kernel.readFile(box.directory + "/runs", limit: 1 << 20), as: UTF8.self)
        let unwritten = (0..<10).filter { !book.contains(" 7-\($0 + 1) starting web\n") }
        return unwritten.isEmpty ? nil : "the book lacks \(unwritten)"
    }

    private static func places(_ fd: borrowing OwnedFD) -> [Errno: Int] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = (try? buffer.withUnsafeMutableBytes { try LiveKernel().read(fd, into: $0) }) ?? 0
        var places: [Errno: Int] = [:]
        for pair in String(decoding: buffer[..<count], as: UTF8.self).split(separator: ",") {
            let numbers = pair.split(separator: "=").compactMap { Int($0) }
            if numbers.count == 2 { places[Errno(rawValue: Int32(numbers[0]))] = numbers[1] }
        }
        return places
    }
}

extension LogFaultLife {
    /// nexusd's part.
    struct Course {
        private let box: LogBox
        private let isSticky: Bool
        private let begun: Instant
        private var replacements = 0

        init(_ box: LogBox, isSticky: Bool) throws {
            self.box = box
            self.isSticky = isSticky
            begun = box.kernel.monotonic()
        }

        mutating func begin(_ fault: FaultyKernel.Fault?, _ results: Int32) throws {
            let directory = box.directory
            let isReady = try box.begin { link in
                try Self.forked {
                    dup2(link, 3)
                    dup2(results, 4)
                    for raw: Int32 in 5..<512 { close(raw) }
                    let kernel = FaultyKernel(fault)
                    var status: Int32 = 0
                    do {
                        try LogWriter(kernel, directory: directory, journal: nil, link: OwnedFD(owning: 3)).run()
                    } catch {
                        status = 1
                    }
                    let table = kernel.places.map { "\($0.key.rawValue)=\($0.value)" }.joined(separator: ",")
                    _ = Glibc.write(4, table, table.utf8.count)
                    return status
                }
            }
            if !isReady { try replace() }
        }

        /// Events go into the link as far as it is taken from.
        mutating func send(_ event: LogEvent) throws {
            if try box.hasEnded() { try replace() }
            try box.send(.event(event))
        }

        mutating func kill() throws { try replace() }

        /// Waits for the ends of these streams; words when they do not come.
        mutating func waitForEnds(of numbers: [UInt32]) throws -> String? {
            var open = Set(numbers)
            while !open.isEmpty {
                let waited = box.kernel.monotonic() - begun
                guard waited < LogFaultLife.patience * 2 else {
                    return "no end of \(open) after \(replacements) replacements"
                }
                if try box.hasEnded() || (isSticky && replacements == 0 && waited > LogFaultLife.shortPatience) {
                    try replace()
                }
                if case .eof(let number) = try box.report(within: .milliseconds(50)) { open.remove(number) }
                open.formIntersection(box.streams.keys)
            }
            return nil
        }

        /// Its orderly end; words when it does not come.
        mutating func drain() throws -> String? {
            while true {
                try box.send(.drain)
                let until =
                    box.kernel.monotonic() + (isSticky && replacements == 0 ? .seconds(1) : LogFaultLife.patience)
                while try !box.hasEnded(), box.kernel.monotonic() < until {
                    _ = try box.report(within: .milliseconds(20))
                }
                guard try box.hasEnded() else {
                    guard isSticky, replacements == 0 else { return "it does not end" }
                    try replace()
                    continue
                }
                guard let exit = try box.reapWriter() else { return "it cannot be reaped" }
                if exit == .code(0), !box.hasUnread { return nil }
                guard replacements == 0 else { return "it ended with \(exit)" }
                try replace()
            }
        }

        private mutating func replace() throws {
            replacements += 1
            guard replacements < 4 else { throw LogBox.Missing() }
            try box.kill()
            let directory = box.directory
            let isReady = try box.begin { link in
                try Self.forked {
                    dup2(link, 3)
                    for raw: Int32 in 4..<512 { close(raw) }
                    do {
                        try LogWriter(LiveKernel(), directory: directory, journal: nil, link: OwnedFD(owning: 3)).run()
                        return 0
                    } catch {
                        return 1
                    }
                }
            }
            guard isReady else { throw LogBox.Missing() }
        }

        private static func forked(_ body: () -> Int32) throws -> Spawned {
            let process = fork()
            if process == 0 { _exit(body()) }
            let kernel = LiveKernel()
            let null = try kernel.open("/dev/null", .readOnly, mode: 0)
            return Spawned(
                process: ProcessID(rawValue: process),
                pidfd: try kernel.openProcess(ProcessID(rawValue: process)), report: null)
        }
    }
}
