import SupervisorCore
import System
import Wire

/// How a child's last runs ended, and how often for which cause. Packed: a thousand children keep one each. log-writer's
/// book has the older ones.
struct EndHistory {
    /// End records that are kept.
    static let limit = 16

    /// The oldest first.
    private(set) var entries: [Entry] = []
    private var counts = [UInt32](repeating: 0, count: Cause.allCases.count)

    /// Ends for this cause since nexusd began.
    func count(of cause: Cause) -> UInt32 { counts[Self.index(cause)] }

    /// Keeps one. `wall` is CLOCK_REALTIME in milliseconds at the end.
    mutating func add(_ end: EndRecord, _ usage: RunUsage, wall: Int64) {
        counts[Self.index(end.cause)] &+= 1
        if entries.count == Self.limit { entries.removeFirst() }
        entries.append(Entry(end, usage, wall: wall))
    }

    init() {}

    func write(to writer: inout ByteWriter) {
        writer.write(entries) { $1.write(to: &$0) }
        writer.write(counts) { $0.write($1) }
    }

    /// One of a program with fewer causes has none of the others.
    init(from reader: inout ByteReader) throws(ByteError) {
        entries = try reader.readList { reader throws(ByteError) in try Entry(from: &reader) }
        guard entries.count <= Self.limit else { throw ByteError(.countTooLarge, at: reader.offset) }
        for (place, count) in try reader.readList({ reader throws(ByteError) in try reader.read(UInt32.self) })
            .enumerated() where place < counts.count
        {
            counts[place] = count
        }
    }

    private static func index(_ cause: Cause) -> Int { Cause.allCases.firstIndex(of: cause) ?? 0 }

    /// One end record, in 48 bytes.
    struct Entry: Hashable {
        let run: RunID
        /// CLOCK_REALTIME in milliseconds.
        let endedMilliseconds: Int64
        private let ran: UInt32
        private let readyAfter: UInt32
        private let cpu: UInt32
        private let peak: UInt32
        private let how: UInt32
        let cause: Cause

        // What there is no number for.
        private static let none = UInt32.max

        init(_ end: EndRecord, _ usage: RunUsage, wall: Int64) {
            run = end.run
            endedMilliseconds = wall
            cause = end.cause
            ran = Self.clamped((end.ended - end.started).wholeMilliseconds)
            readyAfter = end.ready.map { Self.clamped(($0 - end.started).wholeMilliseconds) } ?? Self.none
            cpu = usage.cpu.map { Self.clamped($0.nanoseconds / 1_000_000) } ?? Self.none
            peak = usage.peakBytes.map { Self.clamped($0 / 1024) } ?? Self.none
            how = Self.pack(end.exit)
        }

        func write(to writer: inout ByteWriter) {
            writer.write(run.rawValue)
            writer.write(endedMilliseconds)
            for value in [ran, readyAfter, cpu, peak, how] { writer.write(value) }
            writer.write(UInt8(truncatingIfNeeded: EndHistory.index(cause)))
        }

        init(from reader: inout ByteReader) throws(ByteError) {
            run = RunID(rawValue: try reader.read())
            endedMilliseconds = try reader.read()
            ran = try reader.read()
            readyAfter = try reader.read()
            cpu = try reader.read()
            peak = try reader.read()
            how = try reader.read()
            let number = Int(try reader.read(UInt8.self))
            guard number < Cause.allCases.count else { throw ByteError(.unknownValue, at: reader.offset - 1) }
            cause = Cause.allCases[number]
        }

        /// From the spawn to the end.
        var ranMilliseconds: UInt32 { ran }
        /// From the spawn to the first ready; nil if it never was.
        var readyMilliseconds: UInt32? { readyAfter == Self.none ? nil : readyAfter }
        /// Of everything in the run, as far as the kernel counts it.
        var cpuMilliseconds: UInt32? { cpu == Self.none ? nil : cpu }
        /// The most memory at a time.
        var peakBytes: UInt64? { peak == Self.none ? nil : UInt64(peak) * 1024 }

        /// How the main process ended; nil: it did not.
        var exit: Exit? {
            let value = how & 0xFFFF
            return switch how >> 24 {
            case 1: .code(UInt8(truncatingIfNeeded: value))
            case 2:
                .signal(
                    Signal(rawValue: Int32(value)), coreDumped: how & 0x1_0000 != 0, oom: how & 0x2_0000 != 0)
            case 3:
                .notExecuted(
                    SpawnStage(rawValue: UInt8(truncatingIfNeeded: how >> 16)) ?? .exec, errno: Int32(value))
            case 4: .unknown
            case _: nil
            }
        }

        private static func pack(_ exit: Exit?) -> UInt32 {
            switch exit {
            case nil: 0
            case .code(let code): 1 << 24 | UInt32(code)
            case .signal(let signal, let coreDumped, let oom):
                2 << 24 | UInt32(UInt16(truncatingIfNeeded: signal.rawValue)) | (coreDumped ? 0x1_0000 : 0)
                    | (oom ? 0x2_0000 : 0)
            case .notExecuted(let stage, let errno):
                3 << 24 | UInt32(stage.rawValue) << 16 | UInt32(UInt16(truncatingIfNeeded: errno))
            case .unknown: 4 << 24
            }
        }

        private static func clamped(_ value: some BinaryInteger) -> UInt32 { min(UInt32(clamping: value), none - 1) }
    }
}
