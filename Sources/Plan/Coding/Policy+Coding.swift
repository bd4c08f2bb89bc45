import SupervisorCore
import Wire

extension GroupPolicy: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(children)
        writer.write(strategy.rawValue)
        writer.write(intensity)
        writer.write(slowRetry) { $0.write($1) }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            children: try reader.readList(), strategy: try reader.readCase(), intensity: try reader.readOptional(),
            slowRetry: try reader.readOptionalDuration())
    }
}

extension ChildPolicy: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(group)
        writer.write(enabled)
        writer.write(requires)
        writer.write(after)
        writer.write(critical)
        writer.write(significant)
        writer.write(restart.rawValue)
        writer.write(schedule)
        delay.write(to: &writer)
        writer.write(intensity)
        ready.write(to: &writer)
        writer.write(firstProbe)
        writer.write(startTimeout)
        writer.write(liveness)
        writer.write(watchdog) { $0.write($1) }
        stop.write(to: &writer)
        exits.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            group: try reader.readOptional(), enabled: try reader.readBool(), requires: try reader.readList(),
            after: try reader.readList(), critical: try reader.readBool(), significant: try reader.readBool(),
            restart: try reader.readCase(), schedule: try reader.readOptional(),
            delay: try DelayRule(from: &reader), intensity: try reader.readOptional(),
            ready: try ReadyRule(from: &reader), firstProbe: try reader.readDuration(),
            startTimeout: try reader.readDuration(),
            liveness: try reader.readOptional(), watchdog: try reader.readOptionalDuration(),
            stop: try StopRule(from: &reader), exits: try ExitRule(from: &reader))
    }
}

extension DelayRule: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(first)
        writer.write(cap)
        writer.write(stableAfter)
        writer.write(parkAfter)
        writer.write(slowRetry) { $0.write($1) }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            first: try reader.readDuration(), cap: try reader.readDuration(), stableAfter: try reader.readDuration(),
            parkAfter: try reader.read(), slowRetry: try reader.readOptionalDuration())
    }
}

extension Schedule: Coded {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .calendar: writer.write(UInt8(0))
        case .every(let interval):
            writer.write(UInt8(1))
            writer.write(interval)
        }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        switch try reader.read(UInt8.self) {
        case 0: self = .calendar
        case 1: self = .every(try reader.readDuration())
        case _: throw ByteError(.unknownValue, at: reader.offset - 1)
        }
    }
}

extension Intensity: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(restarts)
        writer.write(window)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(restarts: try reader.read(), window: try reader.readDuration())
    }
}

extension ReadyRule: Coded {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .spawned: writer.write(UInt8(0))
        case .reported: writer.write(UInt8(1))
        case .probed(let interval):
            writer.write(UInt8(2))
            writer.write(interval)
        }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        switch try reader.read(UInt8.self) {
        case 0: self = .spawned
        case 1: self = .reported
        case 2: self = .probed(interval: try reader.readDuration())
        case _: throw ByteError(.unknownValue, at: reader.offset - 1)
        }
    }
}

extension LivenessRule: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(interval)
        writer.write(misses)
        writer.write(first)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            interval: try reader.readDuration(), misses: try reader.read(), first: try reader.readDuration())
    }
}

extension StopRule: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(drain) { $0.write($1) }
        writer.write(signal.rawValue)
        writer.write(timeout)
        writer.write(killGrace)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            drain: try reader.readOptionalDuration(), signal: Signal(rawValue: try reader.read()),
            timeout: try reader.readDuration(), killGrace: try reader.readDuration())
    }
}
