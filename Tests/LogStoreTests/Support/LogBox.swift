import CNexus
import Glibc
import LogStore
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

/// Plays nexusd for one real log-writer: keeps the reading ends of the pipes, gives them to every new log-writer, and reads
/// its reports.
final class LogBox {
    let kernel = LiveKernel()
    let home: TemporaryDirectory
    /// The log directory.
    let directory: String
    let run = RunID(second: 0x6743_f2a1, count: 17)
    /// The run that log-writer is told to be.
    let ownRun = RunID(second: 0x6743_f2a1, count: 1)
    private(set) var streams: [UInt32: KeptStream] = [:]
    private var link: Held?
    /// log-writer's end of the link, which nexusd keeps too.
    private var theirs: Held?
    /// Events that the log-writer that was killed had not done with; the next one gets them first.
    private var unread: [[UInt8]] = []
    private(set) var writer: Process?
    private var nextNumber: UInt32 = 1

    /// A running program.
    final class Process {
        let spawned: Spawned

        init(_ spawned: consuming Spawned) { self.spawned = spawned }
    }

    /// A stream nexusd keeps until its `eof`.
    final class KeptStream {
        let order: LogStream
        let read: OwnedFD

        init(_ order: LogStream, _ read: consuming OwnedFD) {
            self.order = order
            self.read = read
        }
    }

    init(directory: String? = nil) {
        home = TemporaryDirectory()
        self.directory = directory ?? home.path + "/logs"
    }

    deinit {
        if let writer { try? kernel.signal(writer.spawned.pidfd, .kill) }
        if let writer { _ = try? waitForExit(writer.spawned) }
    }

    /// Where the built programs are: NEXUS_BIN, else beside the test bundle.
    static let programs: String = {
        if let given = getenv("NEXUS_BIN") { return String(cString: given) }
        let own = (try? LiveKernel().readLink("/proc/self/exe")) ?? ""
        return own.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
    }()

    static let fixture: String = getenv("NEXUS_FIXTURE").map { String(cString: $0) } ?? programs + "/fixture"

    /// Starts a log-writer, waits until it is ready, and gives it every stream that is kept.
    func start(_ words: [String] = ["--no-journal"]) throws {
        let isReady = try begin { link in
            var image = SpawnImage(
                executable: Self.programs + "/log-writer", arguments: ["log-writer", "--directory", directory] + words,
                environment: ["NEXUS_RUN_ID=\(ownRun)"])
            image.descriptors = [
                DescriptorMapping(source: 2, target: 2), DescriptorMapping(source: link, target: 3),
            ]
            return try kernel.spawn(image)
        }
        #expect(isReady)
    }

    /// The same by other means; false when it ended before it was ready.
    func begin(_ spawn: (Int32) throws -> Spawned) throws -> Bool {
        let pair = try kernel.makeSocketPair(.seqpacket, blocking: .second)
        writer = Process(try spawn(pair.second.raw))
        link = Held(OwnedFD(owning: dup(pair.first.raw)))
        theirs = Held(OwnedFD(owning: dup(pair.second.raw)))
        var first: LogReport?
        let limit = kernel.monotonic() + .seconds(20)
        while first == nil, kernel.monotonic() < limit, try !hasEnded() {
            first = try report(within: .milliseconds(50))
        }
        guard first == .ready else { return false }
        for packet in unread { try sendRaw(packet) }
        unread = []
        for stream in streams.values.sorted(by: { $0.order.number < $1.order.number }) {
            try send(.stream(stream.order), passing: stream.read.raw)
        }
        return true
    }

    /// Whether the log-writer is gone; it is not reaped.
    func hasEnded() throws -> Bool {
        try writer.map { try waitUntil($0.spawned.pidfd, within: .milliseconds(1)) } ?? true
    }

    /// Plays nexusd for a log-writer that runs inside this process.
    func useLink(_ held: Held) { link = held }

    func send(_ order: LogOrder, passing fd: Int32? = nil) throws { try sendRaw(order.packet(), passing: fd) }

    /// Any packet; waits for room.
    func sendRaw(_ packet: [UInt8], passing fd: Int32? = nil) throws {
        guard let link else { return }
        while true {
            do {
                try packet.withUnsafeBytes {
                    _ = try kernel.send(link.fd, $0, passing: fd.map { [$0] } ?? [], to: nil)
                }
                return
            } catch let error as Errno where error == .again {
                guard try waitUntil(link.fd, is: .writable) else { throw Missing() }
            }
        }
    }

    /// The next report; nil when the time is up or log-writer is gone.
    func report(within limit: Duration = .seconds(20)) throws -> LogReport? {
        guard let link, try waitUntil(link.fd, within: limit) else { return nil }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 70_000, alignment: 16)
        defer { buffer.deallocate() }
        let count = try kernel.receive(link.fd, into: buffer).count
        guard count > 0 else { return nil }
        let report = try LogReport(packet: Array(buffer[..<count]))
        if case .eof(let number) = report { streams[number] = nil }
        return report
    }

    /// The next report about streams: what was counted is told when some seconds are over, at any place.
    func reportOfStream() throws -> LogReport? {
        while true {
            let report = try report()
            if case .counted = report { continue }
            return report
        }
    }

    /// Waits for a report that is wanted, past all others.
    func wait(within limit: Duration = .seconds(30), for wanted: (LogReport) -> Bool) throws -> LogReport {
        let end = kernel.monotonic() + limit
        while kernel.monotonic() < end {
            if let report = try report(within: end - kernel.monotonic()), wanted(report) { return report }
        }
        throw Missing()
    }

    struct Missing: Error {}

    func waitForEnd(of number: UInt32, within limit: Duration = .seconds(60)) throws {
        _ = try wait(within: limit) { $0 == .eof(stream: number) }
    }

    /// A fresh pipe of a run: log-writer gets the reading end; the writing end comes back. Its number is the count so far.
    func stream(
        _ child: String = "web", _ kind: StreamKind = .stdout, run: RunID? = nil, fileBytes: UInt64 = 10_000_000,
        files: UInt16 = 10, journal: Bool = false, rate: LogRate? = nil, pattern: LinePattern? = nil,
        redactions: [String] = []
    ) throws -> (number: UInt32, end: OwnedEnd) {
        let pipe = try kernel.makePipe(blocking: .write)
        let order = LogStream(
            number: nextNumber, child: child, run: run ?? self.run, kind: kind, fileBytes: fileBytes, files: files,
            journal: journal, rate: rate, pattern: pattern, redactions: redactions)
        nextNumber += 1
        let end = OwnedEnd(OwnedFD(owning: dup(pipe.write.raw)))
        let kept = KeptStream(order, OwnedFD(owning: dup(pipe.read.raw)))
        streams[order.number] = kept
        if link != nil { try send(.stream(order), passing: kept.read.raw) }
        return (order.number, end)
    }

    /// A writing end that can be closed.
    final class OwnedEnd {
        private var held: Held?

        init(_ fd: consuming OwnedFD) { held = Held(fd) }

        var raw: Int32 { held?.fd.raw ?? -1 }

        func close() { held = nil }

        func write(_ text: String) throws { try write(Array(text.utf8)) }

        /// Writes on another thread, which closes the end when it is done.
        func writeInBackground(_ bytes: [UInt8]) throws {
            guard let held else { return }
            // The reader may be gone before the end of it.
            signal(SIGPIPE, SIG_IGN)
            try NativeThread.start("writer") { try? LiveKernel().writeAll(held.fd, bytes) }
            close()
        }

        func write(_ bytes: [UInt8]) throws {
            if let held { try LiveKernel().writeAll(held.fd, bytes) }
        }
    }

    /// A descriptor that several hold.
    final class Held: Sendable {
        let fd: OwnedFD

        init(_ fd: consuming OwnedFD) { self.fd = fd }
    }

    /// Starts the fixture with its stdout in this pipe, whose writing end is closed here.
    func fixture(_ words: [String], into end: OwnedEnd) throws -> Process {
        var image = SpawnImage(executable: Self.fixture, arguments: ["fixture"] + words, environment: [])
        image.descriptors = [DescriptorMapping(source: end.raw, target: 1), DescriptorMapping(source: 2, target: 2)]
        defer { end.close() }
        return Process(try kernel.spawn(image))
    }

    func kill() throws {
        guard let process = writer else { return }
        try kernel.signal(process.spawned.pidfd, .kill)
        _ = try waitForExit(process.spawned)
        writer = nil
        try keepUnread()
    }

    private func keepUnread() throws {
        // Closed later: reports that nobody has read would make an error of the first look.
        defer { link = nil }
        guard let theirs else { return }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 70_000, alignment: 16)
        defer { buffer.deallocate() }
        while let count = try? kernel.receive(theirs.fd, into: buffer).count, count > 0 {
            let packet = Array(buffer[..<count])
            if case .event = try LogOrder(packet: packet) { unread.append(packet) }
        }
    }

    /// One that has ended.
    func reapWriter() throws -> Exit? {
        guard let process = writer else { return nil }
        let exit = try waitForExit(process.spawned)
        writer = nil
        try keepUnread()
        return exit
    }

    /// Events that no log-writer has done with.
    var hasUnread: Bool { !unread.isEmpty }

    /// Has it drain and end; its exit.
    func drain() throws -> Exit? {
        try send(.drain)
        _ = try wait { $0 == .drained }
        guard let process = writer else { return nil }
        defer { writer = nil }
        return try waitForExit(process.spawned)
    }

    /// nexusd dies: the link is closed, nothing else happens.
    func loseLink() {
        link = nil
        theirs = nil
    }

    /// What can be read back.
    func entries(_ children: [String]? = nil, _ query: LogQuery = LogQuery()) throws -> [LogEntry] {
        var entries: [LogEntry] = []
        let session = try LogReader(directory: directory).open(children, query)
        session.read {
            entries.append($0)
            return true
        }
        return entries + session.unfinished()
    }

    /// Waits until reading back gives what is wanted.
    func entries(
        _ child: String, within limit: Duration = .seconds(20), until isEnough: ([LogEntry]) -> Bool
    ) throws -> [LogEntry] {
        let end = kernel.monotonic() + limit
        let watcher = try LogReader(directory: directory).open([child], LogQuery(last: 0))
        while true {
            // The first wait only begins to watch; what came before it is read after it.
            try watcher.wait(atMost: .milliseconds(200))
            let entries = (try? entries([child])) ?? []
            if isEnough(entries) || kernel.monotonic() > end { return entries }
        }
    }
}
