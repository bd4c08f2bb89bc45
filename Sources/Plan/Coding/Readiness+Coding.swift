import SupervisorCore
import Wire

extension Text: Coded {
    func write(to writer: inout ByteWriter) { writer.write(pieces) }
    init(from reader: inout ByteReader) throws(ByteError) { self.init(pieces: try reader.readList()) }
}

extension Text.Piece: Coded {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .literal(let text):
            writer.write(UInt8(0))
            writer.write(text)
        case .captured(let child, let name):
            writer.write(UInt8(1))
            child.write(to: &writer)
            writer.write(name)
        case .secret(let index):
            writer.write(UInt8(2))
            writer.write(index)
        }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        switch try reader.read(UInt8.self) {
        case 0: self = .literal(try reader.readText())
        case 1: self = .captured(try ChildID(from: &reader), name: try reader.readText())
        case 2: self = .secret(try reader.read())
        case _: throw ByteError(.unknownValue, at: reader.offset - 1)
        }
    }
}

extension Readiness: Coded {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .spawned: writer.write(UInt8(0))
        case .notify: writer.write(UInt8(1))
        case .descriptor(let number):
            writer.write(UInt8(2))
            writer.write(number)
        case .bus: writer.write(UInt8(3))
        case .probe(let probe):
            writer.write(UInt8(4))
            probe.write(to: &writer)
        case .logLine(let pattern):
            writer.write(UInt8(5))
            writer.write(pattern.pieces)
        case .health: writer.write(UInt8(6))
        case .done: writer.write(UInt8(7))
        }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        switch try reader.read(UInt8.self) {
        case 0: self = .spawned
        case 1: self = .notify
        case 2: self = .descriptor(try reader.read())
        case 3: self = .bus
        case 4: self = .probe(try Probe(from: &reader))
        case 5: self = .logLine(LinePattern(pieces: try reader.readList()))
        case 6: self = .health
        case 7: self = .done
        case _: throw ByteError(.unknownValue, at: reader.offset - 1)
        }
    }
}

extension Probe: Coded {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .tcp(let host, let port, let timeout):
            writer.write(UInt8(0))
            writer.write(host)
            port.write(to: &writer)
            writer.write(timeout)
        case .exec(let executable, let arguments, let timeout):
            writer.write(UInt8(1))
            writer.write(executable)
            writer.write(arguments)
            writer.write(timeout)
        case .http(let probe):
            writer.write(UInt8(2))
            writer.write(probe.host)
            probe.port.write(to: &writer)
            writer.write(probe.path)
            writer.write(probe.statuses)
            writer.write(probe.timeout)
        }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        switch try reader.read(UInt8.self) {
        case 0:
            self = .tcp(
                host: try reader.readText(), port: try Text(from: &reader), timeout: try reader.readDuration())
        case 1:
            self = .exec(
                executable: try reader.readText(), arguments: try reader.readList(),
                timeout: try reader.readDuration())
        case 2:
            self = .http(
                HTTPProbe(
                    host: try reader.readText(), port: try Text(from: &reader), path: try reader.readText(),
                    statuses: try reader.readList(), timeout: try reader.readDuration()))
        case _: throw ByteError(.unknownValue, at: reader.offset - 1)
        }
    }
}

extension HTTPProbe.StatusRange: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(first)
        writer.write(last)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(first: try reader.read(), last: try reader.read())
    }
}

extension LinePattern.Piece: Coded {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .literal(let text):
            writer.write(UInt8(0))
            writer.write(text)
        case .capture(let name):
            writer.write(UInt8(1))
            writer.write(name)
        case .integer(let name):
            writer.write(UInt8(2))
            writer.write(name)
        }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        switch try reader.read(UInt8.self) {
        case 0: self = .literal(try reader.readText())
        case 1: self = .capture(name: try reader.readText())
        case 2: self = .integer(name: try reader.readText())
        case _: throw ByteError(.unknownValue, at: reader.offset - 1)
        }
    }
}
