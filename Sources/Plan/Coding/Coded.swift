import SupervisorCore
import Wire

/// A part of the plan that goes to bytes and back; both directions stand side by side so that they stay equal.
protocol Coded {
    /// Appends the value.
    func write(to writer: inout ByteWriter)
    /// Reads a value; any bytes give a value or an error.
    init(from reader: inout ByteReader) throws(ByteError)
}

extension ByteWriter {
    mutating func write(_ list: [some Coded]) { write(list) { $1.write(to: &$0) } }

    mutating func write(_ value: (some Coded)?) { write(value) { $1.write(to: &$0) } }

    /// Nanoseconds: finer than any policy needs, exact for all that Supervisor.toml can say.
    mutating func write(_ duration: Duration) { write(duration.nanoseconds) }
}

extension ByteReader {
    mutating func readList<Element: Coded>() throws(ByteError) -> [Element] {
        try readList { reader throws(ByteError) in try Element(from: &reader) }
    }

    mutating func readNumbers<Number: FixedWidthInteger>() throws(ByteError) -> [Number] {
        try readList { reader throws(ByteError) in try reader.read(Number.self) }
    }

    mutating func readOptional<Value: Coded>() throws(ByteError) -> Value? {
        try readOptional { reader throws(ByteError) in try Value(from: &reader) }
    }

    /// Text without NUL: everything in a plan ends up as a C string or beside one.
    mutating func readText() throws(ByteError) -> String {
        let start = offset
        let text = try readString()
        guard !text.utf8.contains(0) else { throw ByteError(.unknownValue, at: start) }
        return text
    }

    /// A time span of zero or more.
    mutating func readDuration() throws(ByteError) -> Duration {
        let nanoseconds = try read(Int64.self)
        guard nanoseconds >= 0 else { throw ByteError(.unknownValue, at: offset - 8) }
        return .nanoseconds(nanoseconds)
    }

    mutating func readOptionalDuration() throws(ByteError) -> Duration? {
        try readOptional { reader throws(ByteError) in try reader.readDuration() }
    }

    mutating func readOptionalNumber<Number: FixedWidthInteger>() throws(ByteError) -> Number? {
        try readOptional { reader throws(ByteError) in try reader.read(Number.self) }
    }

    /// A case of an enum by its number.
    mutating func readCase<Value: RawRepresentable<UInt8>>() throws(ByteError) -> Value {
        guard let value = Value(rawValue: try read()) else { throw ByteError(.unknownValue, at: offset - 1) }
        return value
    }
}

extension ChildID: Coded {
    func write(to writer: inout ByteWriter) { writer.write(rawValue) }
    init(from reader: inout ByteReader) throws(ByteError) { self.init(rawValue: try reader.read()) }
}

extension GroupID: Coded {
    func write(to writer: inout ByteWriter) { writer.write(rawValue) }
    init(from reader: inout ByteReader) throws(ByteError) { self.init(rawValue: try reader.read()) }
}
