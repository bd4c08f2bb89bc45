import Plan
import SupervisorCore
import Wire

/// What goes over of one child beside what is kept of it anyway: what a nexusd that was killed has lost.
struct HandoverCell {
    var health: String?
    var usage: EndUsage?
    var ends: EndHistory?
    var counts: LogCounts?
    /// Its NOTIFY_SOCKET, which outlives its runs; -1 without one.
    var notify: Int32 = -1
    var isNotifyStale = false
    var run: Run?

    /// The run that is not empty yet.
    struct Run {
        /// An earlier nexusd started it: since when, and by what it was before.
        var adoption: String?
        /// Its main process was reaped.
        var hasExited = false
        var isToBeEmpty = false
        var isOverMemory = false
        var hasAskedForItself = false
        var readsNoMore = false
        var oddities: UInt16 = 0
        var stopSignal: Stop?
        /// The bus: what the worker writes, what it reads; -1 without one.
        var busInput: Int32 = -1
        var busOutput: Int32 = -1

        struct Stop {
            var signal: Int32
            var at: Instant
        }
    }

    init() {}

    var descriptors: [Int32] { [notify, run?.busInput ?? -1, run?.busOutput ?? -1].filter { $0 >= 0 } }

    func write(to writer: inout ByteWriter) {
        writer.write(health) { $0.write($1) }
        writer.write(usage) { $1.write(to: &$0) }
        writer.write(ends) { $1.write(to: &$0) }
        writer.write(counts) { writer, counts in
            for count in [counts.bytes, counts.lines, counts.suppressed, counts.dropped, counts.missingInJournal] {
                writer.write(count)
            }
        }
        writer.write(notify)
        writer.write(isNotifyStale)
        writer.write(run) { writer, run in
            writer.write(run.adoption) { $0.write($1) }
            let flags = [run.hasExited, run.isToBeEmpty, run.isOverMemory, run.hasAskedForItself, run.readsNoMore]
            for flag in flags { writer.write(flag) }
            writer.write(run.oddities)
            writer.write(run.stopSignal) { writer, stop in
                writer.write(stop.signal)
                writer.write(stop.at.nanoseconds)
            }
            writer.write(run.busInput)
            writer.write(run.busOutput)
        }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        health = try reader.readOptional { reader throws(ByteError) in try reader.readString() }
        usage = try reader.readOptional { reader throws(ByteError) in try EndUsage(from: &reader) }
        ends = try reader.readOptional { reader throws(ByteError) in try EndHistory(from: &reader) }
        counts = try reader.readOptional { reader throws(ByteError) in
            var counts = LogCounts()
            counts.bytes = try reader.read()
            counts.lines = try reader.read()
            counts.suppressed = try reader.read()
            counts.dropped = try reader.read()
            counts.missingInJournal = try reader.read()
            return counts
        }
        notify = try reader.read()
        isNotifyStale = try reader.readBool()
        run = try reader.readOptional { reader throws(ByteError) in
            var run = Run()
            run.adoption = try reader.readOptional { reader throws(ByteError) in try reader.readString() }
            run.hasExited = try reader.readBool()
            run.isToBeEmpty = try reader.readBool()
            run.isOverMemory = try reader.readBool()
            run.hasAskedForItself = try reader.readBool()
            run.readsNoMore = try reader.readBool()
            run.oddities = try reader.read()
            run.stopSignal = try reader.readOptional { reader throws(ByteError) in
                Run.Stop(signal: try reader.read(), at: Instant(nanoseconds: try reader.read()))
            }
            run.busInput = try reader.read()
            run.busOutput = try reader.read()
            return run
        }
    }
}
