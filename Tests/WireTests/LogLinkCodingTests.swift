import Chance
import SupervisorCore
import Testing
import Wire

@Suite("The log link's packets")
struct LogLinkCodingTests {
    static let run = RunID(second: 0x6743_f2a1, count: 17)

    static let orders: [LogOrder] = [
        .greeting(second: 0, alive: []),
        .greeting(second: .max, alive: [run, RunID(rawValue: 0), RunID(rawValue: .max)]),
        .stream(
            LogStream(number: 1, child: "web", run: run, kind: .stdout, fileBytes: 10_000_000, files: 10, journal: true)
        ),
        .stream(
            LogStream(
                number: .max, child: "", run: run, kind: .stderr, fileBytes: 0, files: 0, journal: false,
                rate: LogRate(lines: 10_000, window: .seconds(30)),
                pattern: LinePattern(pieces: [
                    .literal("listening on http://"), .capture(name: "host"), .literal(":"), .integer(name: "port"),
                ]),
                redactions: ["geheim", "ünïcödé"])),
        .event(LogEvent(priority: 6, messageID: "", message: "")),
        .event(
            LogEvent(
                priority: 3, messageID: "1c657580dcbb4e52bd2e5ff3959019e0", message: "web ended", child: "web",
                run: run,
                book: .ended, fields: [.init(name: "CAUSE", value: "crash"), .init(name: "EXIT_CODE", value: "3")])),
        .last(run, lines: 10, tag: 7),
        .drain, .missing(child: "web", lines: .max),
    ]

    static let counts: LogCounts = {
        var counts = LogCounts()
        (counts.bytes, counts.lines, counts.suppressed) = (.max, 1, 2)
        (counts.dropped, counts.missingInJournal) = (3, 4)
        return counts
    }()

    static let reports: [LogReport] = [
        .ready, .eof(stream: 4), .matched(stream: 9, captures: []),
        .matched(stream: 9, captures: [.init(name: "port", value: "4096"), .init(name: "host", value: "::1")]),
        .last(tag: 7, lines: ["one", "", "zwei\u{0}drei"]), .drained,
        .counted(child: "web", counts), .counted(child: "", LogCounts()), .journal(isThere: false),
        .journal(isThere: true), .alive(isBehind: true), .alive(isBehind: false),
        .filing(child: "web", trouble: "/logs/web: ENOTDIR"), .filing(child: "", trouble: ""),
        .remarked(child: "web"),
        .book(trouble: "/logs/runs: EISDIR"), .book(trouble: ""),
    ]

    @Test("what was written is read back", arguments: orders)
    func orderPacket_isReadBack(order: LogOrder) throws {
        #expect(try LogOrder(packet: order.packet()) == order)
    }

    @Test("what was written is read back", arguments: reports)
    func reportPacket_isReadBack(report: LogReport) throws {
        #expect(try LogReport(packet: report.packet()) == report)
    }

    @Test("every shorter packet, and one byte more, is refused")
    func truncatedOrLongerPacket_isRefused() {
        for packet in Self.orders.map({ $0.packet() }) {
            for length in 0..<packet.count {
                #expect(throws: ByteError.self) { try LogOrder(packet: Array(packet.prefix(length))) }
            }
            #expect(throws: ByteError.self) { try LogOrder(packet: packet + [0]) }
        }
        for payload in Self.reports.map({ $0.encoded() }) {
            for length in 0..<payload.count {
                #expect(throws: ByteError.self) { try LogReport(encoded: Array(payload.prefix(length))) }
            }
            #expect(throws: ByteError.self) { try LogReport(encoded: payload + [0]) }
        }
    }

    @Test("any flipped byte and any random bytes give a value or an error, never a trap")
    func hostileBytes_neverTrap() {
        let seed = Chance.seed()
        var random = SplitMix(seed: seed)
        for packet in Self.orders.map({ $0.packet() }) + Self.reports.map({ $0.packet() }) {
            for offset in packet.indices {
                var damaged = packet
                damaged[offset] = UInt8.random(in: 0...255, using: &random)
                _ = try? LogOrder(packet: damaged)
                _ = try? LogReport(packet: damaged)
            }
        }
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in UInt8.random(in: 0...7, using: &random)
            }
            _ = try? LogOrder(encoded: bytes)
            _ = try? LogReport(encoded: bytes)
            _ = try? LogOrder(packet: bytes)
        }
    }

    @Test("a huge count is refused before anything is allocated")
    func hugeCount_isRefused() {
        var writer = ByteWriter()
        writer.write(UInt8(1))
        writer.write(UInt32(1))
        writer.write(UInt32.max)
        #expect(throws: ByteError.self) { try LogOrder(encoded: writer.bytes) }
    }

    @Test("a packet of another kind, version, peer or id is refused", arguments: [4, 5, 6, 15])
    func otherHeader_isRefused(offset: Int) {
        var packet = LogOrder.drain.packet()
        packet[offset] ^= 0x40
        #expect(throws: ByteError.self) { try LogOrder(packet: packet) }
    }
}
