import SupervisorCore
import Wire

/// What an ended run took, for its end record; packed, as every child keeps one.
struct EndUsage {
    /// The lower half of the run's id.
    private let run: UInt32
    private let cpuMilliseconds: UInt32
    private let peakKiB: UInt32

    /// Stands for what is not known; all other values saturate below it.
    private static let unknown = UInt32.max

    init(_ usage: RunUsage, of run: RunID) {
        self.run = UInt32(truncatingIfNeeded: run.rawValue)
        func pack(_ value: UInt64?) -> UInt32 { value.map { UInt32(clamping: min($0, 0xFFFF_FFFE)) } ?? Self.unknown }
        cpuMilliseconds = pack(usage.cpu.map { UInt64(max(0, $0.nanoseconds) / 1_000_000) })
        peakKiB = pack(usage.peakBytes.map { $0 / 1024 })
    }

    func write(to writer: inout ByteWriter) {
        for value in [run, cpuMilliseconds, peakKiB] { writer.write(value) }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        run = try reader.read()
        cpuMilliseconds = try reader.read()
        peakKiB = try reader.read()
    }

    /// Empty when it is another run's.
    func usage(of run: RunID) -> RunUsage {
        guard self.run == UInt32(truncatingIfNeeded: run.rawValue) else { return RunUsage() }
        return RunUsage(
            cpu: cpuMilliseconds == Self.unknown ? nil : .milliseconds(Int64(cpuMilliseconds)),
            peakBytes: peakKiB == Self.unknown ? nil : UInt64(peakKiB) * 1024)
    }
}
