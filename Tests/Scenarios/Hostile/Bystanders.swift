import Foundation
import Testing

/// Three children with whom nothing is wrong, beside one with whom something is: one asks nexusd for a sign of life, again
/// and again; one ends again and again, and tells when its replacement runs; one writes numbered lines. How late they are
/// served is printed, not judged: what is judged is that they are served, keep their processes, and lose no line.
final class Bystanders {
    /// Their tables of Supervisor.toml.
    static let tables = """
        [child.asker]
        command = ["FIXTURE", "metronome", "DIR/bystanders", "5"]
        worker = true
        ready = "bus"
        [child.phoenix]
        command = ["FIXTURE", "phoenix", "DIR/bystanders", "20"]
        ready = "spawned"
        delay = { first = "1ms", cap = "1ms", stable-after = "1ms", park-after = 1000 }
        [child.teller]
        command = ["FIXTURE", "count-in", "DIR/told", "5000"]

        """
    /// By how much others may move a child's times: promise 10 of the design.
    private static let promise = "50 ms"
    private static let long = ProcessInfo.processInfo.environment["NEXUS_LONG"] == "1"
    private let box: Box
    private let reports: Int32
    private var calm = Served()
    /// Their processes before anything was wrong.
    private var asker: Int32?

    /// Before nexusd is started: what they report to has to be there.
    init(_ box: Box) throws {
        self.box = box
        let path = box.directory + "/bystanders"
        guard mkfifo(path, 0o600) == 0 else { throw Trouble("mkfifo \(path): errno \(errno)") }
        // Both ways, so that opening waits for nobody.
        reports = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
    }

    deinit { close(reports) }

    /// Starts the box, and measures how they are served while nothing is wrong.
    func start() throws {
        try box.start()
        try box.waitReady()
        calm = try measure(restarts: true)
        asker = try box.status().pid("asker")
    }

    /// Measures and prints how they are served while `fault` goes on; some faults let nobody be started, or ask.
    func endure(_ fault: String, restarts: Bool = true, answers: Bool = true, sameProcess: Bool = true) throws {
        let served = try measure(restarts: restarts)
        let moved = [served.asks.moved(from: calm.asks), served.replacements.moved(from: calm.replacements)]
        print(
            "timing | \(fault) | \(calm.asks) | \(served.asks) | \(calm.replacements) | \(served.replacements) | "
                + "medians moved by \(moved.compactMap { $0 }.joined(separator: ", ")) of \(Self.promise) |")
        guard answers else { return }
        let status = try box.status()
        #expect(!sameProcess || status.pid("asker") == asker, "\(fault): the asker was replaced")
        #expect(status.child("asker")?.state == "ready")
        #expect(status.child("teller")?.restarts == 0, "\(fault): the teller was replaced")
        #expect(!restarts || status.child("phoenix")?.state != "parked", "\(fault)")
    }

    /// After the end of nexusd: each line that the teller wrote is in its file, or, where the disk took nothing for more than
    /// 5 s, counted there.
    func expectNoLineMissing(orCounted: Bool = false) throws {
        let counter = try Data(contentsOf: URL(fileURLWithPath: box.directory + "/told"))
        let count = counter.withUnsafeBytes { $0.loadUnaligned(as: Int.self) }
        let log = try box.ctl("logs", "teller", "-n", "1000000").output
        let found = Set(
            log.split(separator: "\n").compactMap { line in
                line.range(of: "line ", options: .backwards).flatMap { Int(line[$0.upperBound...]) }
            })
        let counted = log.matches(of: #/([0-9]+) lines? (?:is|are) missing here/#).compactMap { Int($0.1) }.reduce(0, +)
        // Killed between a line and its number, the teller has written one more than it says.
        #expect(
            count > 0 && (count...count + 1).contains(found.count + counted),
            "\(found.count) of \(count) lines, \(counted) counted")
        #expect(orCounted || counted == 0)
    }

    /// Reads reports from now on, until there are enough.
    private func measure(restarts: Bool) throws -> Served {
        let factor = Self.long ? 20 : 1
        var served = Served()
        var buffer = [Int64](repeating: 0, count: 3 * 1024)
        // What was told before belongs to before.
        while buffer.withUnsafeMutableBytes({ read(reports, $0.baseAddress, $0.count) }) > 0 {}
        let deadline = ContinuousClock.now + .seconds(20 * factor)
        while served.asks.count < 120 * factor || restarts && served.replacements.count < 25 * factor {
            var look = pollfd(fd: reports, events: Int16(POLLIN), revents: 0)
            guard ContinuousClock.now < deadline, poll(&look, 1, 20_000) == 1 else {
                throw Trouble("too few were served: \(served)\n\(try box.ctl("status").output)\(box.errors)")
            }
            let bytes = buffer.withUnsafeMutableBytes { read(reports, $0.baseAddress, $0.count) }
            for start in stride(from: 0, to: max(bytes, 0) / 8, by: 3) { served.take(buffer[start..<start + 3]) }
        }
        return served
    }
}

/// How late nexusd was.
private struct Served {
    /// From the worker's question to the answer.
    var asks = Latencies()
    /// From the last instruction of a run to the first of its replacement.
    var replacements = Latencies()
    private var gone: Int64?

    /// What a bystander tells: asked 1, born 2, gone 3; when; how long it took.
    mutating func take(_ told: ArraySlice<Int64>) {
        let (what, at, took) = (told[told.startIndex], told[told.startIndex + 1], told[told.startIndex + 2])
        switch what {
        case 1: asks.take(took)
        case 2:
            if let gone { replacements.take(at - gone) }
            gone = nil
        default: gone = at
        }
    }
}

/// Median and worst, in words.
private struct Latencies: CustomStringConvertible {
    private var nanoseconds: [Int64] = []
    var count: Int { nanoseconds.count }

    mutating func take(_ latency: Int64) { nanoseconds.append(latency) }

    private var median: Int64? { nanoseconds.isEmpty ? nil : nanoseconds.sorted()[count / 2] }

    private func words(_ value: Int64) -> String { String(format: "%.2f", Double(value) / 1_000_000) }

    /// How far the median is from that of `others`, to be read beside what is promised; nil where one of them has none.
    func moved(from others: Latencies) -> String? {
        guard let median, let other = others.median else { return nil }
        return (median < other ? "" : "+") + words(median - other)
    }

    var description: String {
        guard let median, let worst = nanoseconds.max() else { return "none" }
        return "\(words(median)), \(words(worst)) ms"
    }
}
