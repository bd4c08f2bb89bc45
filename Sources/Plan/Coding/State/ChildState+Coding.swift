import SupervisorCore
import Wire

extension ChildState: Coded {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .off: writer.write(UInt8(0))
        case .waiting(nil): writer.write(UInt8(1))
        case .waiting(let holder?):
            writer.write(UInt8(11))
            holder.write(to: &writer)
        case .scheduled: writer.write(UInt8(2))
        case .delayed(let until, let cause):
            writer.write(UInt8(3))
            writer.write(until.nanoseconds)
            writer.write(cause)
        case .spawning(let run, let until):
            writer.write(UInt8(4))
            run.write(to: &writer)
            writer.write(until.nanoseconds)
        case .starting(let run, let starting):
            writer.write(UInt8(5))
            run.write(to: &writer)
            writer.write(starting.until.nanoseconds)
            starting.probe.write(to: &writer)
        case .serving(let run, let serving):
            writer.write(UInt8(6))
            run.write(to: &writer)
            serving.write(to: &writer)
        case .stopping(let run, let ending):
            writer.write(UInt8(7))
            run.write(to: &writer)
            ending.write(to: &writer)
        case .unkillable(let run, let verdict, let begun, let exit):
            writer.write(UInt8(8))
            run.write(to: &writer)
            verdict.write(to: &writer)
            writer.write(begun.nanoseconds)
            writer.write(exit)
        case .parked(let cause, let retry, let ground):
            writer.write(UInt8(9))
            writer.write(cause)
            writer.write(retry)
            writer.write(ground.rawValue)
        case .done: writer.write(UInt8(10))
        }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        switch try reader.read(UInt8.self) {
        case 0: self = .off
        case 1: self = .waiting()
        case 2: self = .scheduled
        case 3: self = .delayed(until: try reader.readInstant(), try reader.readCause())
        case 4: self = .spawning(try Run(from: &reader), until: try reader.readInstant())
        case 5:
            let run = try Run(from: &reader)
            self = .starting(run, Starting(until: try reader.readInstant(), probe: try ProbeClock(from: &reader)))
        case 6: self = .serving(try Run(from: &reader), try Serving(from: &reader))
        case 7: self = .stopping(try Run(from: &reader), try Ending(from: &reader))
        case 8:
            self = .unkillable(
                try Run(from: &reader), try Verdict(from: &reader), begun: try reader.readInstant(),
                try reader.readOptional())
        case 9:
            self = .parked(try reader.readCause(), retry: try reader.readOptionalInstant(), try reader.readCase())
        case 10: self = .done
        case 11: self = .waiting(barrier: try ChildID(from: &reader))
        case _: throw ByteError(.unknownValue, at: reader.offset - 1)
        }
    }
}

extension Run: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(id.rawValue)
        writer.write(started.nanoseconds)
        writer.write(ready)
        writer.write(watchdogMicroseconds) { $0.write($1) }
        writer.write(hasProcess)
        writer.write(isExecuted)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(id: RunID(rawValue: try reader.read()), started: try reader.readInstant())
        ready = try reader.readOptionalInstant()
        watchdogMicroseconds = try reader.readOptionalNumber()
        hasProcess = try reader.readBool()
        isExecuted = try reader.readBool()
    }
}

extension Serving: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(misses)
        writer.write(complaints)
        probe.write(to: &writer)
        writer.write(watchdog)
        writer.write(settled)
        writer.write(stable)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        let (misses, complaints) = (try reader.read(UInt8.self), try reader.read(UInt8.self))
        self.init(
            probe: try ProbeClock(from: &reader), watchdog: try reader.readOptionalInstant(),
            settled: try reader.readOptionalInstant(), stable: try reader.readOptionalInstant())
        self.misses = misses
        self.complaints = complaints
    }
}

extension ProbeClock: Coded {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .none: writer.write(UInt8(0))
        case .asked: writer.write(UInt8(1))
        case .due(let instant):
            writer.write(UInt8(2))
            writer.write(instant.nanoseconds)
        }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        switch try reader.read(UInt8.self) {
        case 0: self = .none
        case 1: self = .asked
        case 2: self = .due(try reader.readInstant())
        case _: throw ByteError(.unknownValue, at: reader.offset - 1)
        }
    }
}

extension Ending: Coded {
    func write(to writer: inout ByteWriter) {
        verdict.write(to: &writer)
        writer.write(begun.nanoseconds)
        step.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            verdict: try Verdict(from: &reader), begun: try reader.readInstant(), step: try Step(from: &reader))
    }
}

extension Ending.Step: Coded {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .draining(let until, let isPatient): write(isPatient ? 5 : 0, until, to: &writer)
        case .leaving(let until): write(1, until, to: &writer)
        case .terminating(let until, let hasDrained): write(hasDrained ? 6 : 2, until, to: &writer)
        case .sweeping(let exit, let until, let hasDrained):
            write(hasDrained ? 7 : 3, until, to: &writer)
            exit.write(to: &writer)
        case .killing(let exit, let until):
            write(4, until, to: &writer)
            writer.write(exit)
        }
    }

    private func write(_ number: UInt8, _ until: Instant, to writer: inout ByteWriter) {
        writer.write(number)
        writer.write(until.nanoseconds)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        let start = reader.offset
        let (number, until) = (try reader.read(UInt8.self), try reader.readInstant())
        switch number {
        case 0: self = .draining(until: until, isPatient: false)
        case 1: self = .leaving(until: until)
        case 2: self = .terminating(until: until, hasDrained: false)
        case 3: self = .sweeping(try Exit(from: &reader), until: until, hasDrained: false)
        case 4: self = .killing(try reader.readOptional(), until: until)
        case 5: self = .draining(until: until, isPatient: true)
        case 6: self = .terminating(until: until, hasDrained: true)
        case 7: self = .sweeping(try Exit(from: &reader), until: until, hasDrained: true)
        case _: throw ByteError(.unknownValue, at: start)
        }
    }
}

extension Verdict: Coded {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .given(let cause):
            writer.write(UInt8(0))
            writer.write(cause)
        case .wished: writer.write(UInt8(1))
        case .byExit: writer.write(UInt8(2))
        }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        switch try reader.read(UInt8.self) {
        case 0: self = .given(try reader.readCause())
        case 1: self = .wished
        case 2: self = .byExit
        case _: throw ByteError(.unknownValue, at: reader.offset - 1)
        }
    }
}
