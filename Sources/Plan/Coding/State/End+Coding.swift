import SupervisorCore
import Wire

extension Exit: Coded {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .code(let code):
            writer.write(UInt8(0))
            writer.write(code)
        case .signal(let signal, let coreDumped, let oom):
            writer.write(UInt8(1))
            writer.write(signal.rawValue)
            writer.write(coreDumped)
            writer.write(oom)
        case .notExecuted(let stage, let errno):
            writer.write(UInt8(2))
            writer.write(stage.rawValue)
            writer.write(errno)
        case .unknown: writer.write(UInt8(3))
        }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        switch try reader.read(UInt8.self) {
        case 0: self = .code(try reader.read())
        case 1:
            self = .signal(
                Signal(rawValue: try reader.read()), coreDumped: try reader.readBool(), oom: try reader.readBool())
        case 2: self = .notExecuted(try reader.readCase(), errno: try reader.read())
        case 3: self = .unknown
        case _: throw ByteError(.unknownValue, at: reader.offset - 1)
        }
    }
}

extension EndRecord: Coded {
    func write(to writer: inout ByteWriter) {
        child.write(to: &writer)
        writer.write(run.rawValue)
        writer.write(exit)
        writer.write(cause)
        writer.write(started.nanoseconds)
        writer.write(ready)
        writer.write(ended.nanoseconds)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            child: try ChildID(from: &reader), run: RunID(rawValue: try reader.read()),
            exit: try reader.readOptional(), cause: try reader.readCause(), started: try reader.readInstant(),
            ready: try reader.readOptionalInstant(), ended: try reader.readInstant())
    }
}

extension ByteWriter {
    mutating func write(_ instant: Instant?) { write(instant) { $0.write($1.nanoseconds) } }

    /// By its place in the list of all: a state is read by the program that wrote it, or by none.
    mutating func write(_ cause: Cause) {
        write(UInt8(truncatingIfNeeded: Cause.allCases.firstIndex(of: cause) ?? 0))
    }
}

extension ByteReader {
    mutating func readInstant() throws(ByteError) -> Instant { Instant(nanoseconds: try read()) }

    mutating func readOptionalInstant() throws(ByteError) -> Instant? {
        try readOptional { reader throws(ByteError) in try reader.readInstant() }
    }

    mutating func readInstants() throws(ByteError) -> [Instant] {
        try readList { reader throws(ByteError) in try reader.readInstant() }
    }

    mutating func readCause() throws(ByteError) -> Cause {
        let number = Int(try read(UInt8.self))
        guard number < Cause.allCases.count else { throw ByteError(.unknownValue, at: offset - 1) }
        return Cause.allCases[number]
    }
}
