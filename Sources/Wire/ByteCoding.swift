/// Appends values as bytes: integers big-endian, strings and lists with a u32 count before them. The one flat encoding
/// of plan, log link and state; frames have their own fixed header.
public struct ByteWriter: Sendable {
    /// What was written so far.
    public var bytes: [UInt8] { written }
    @usableFromInline var written: [UInt8] = []

    /// Empty.
    public init() {}

    /// Empty again, with the room it has.
    public mutating func clear() { written.removeAll(keepingCapacity: true) }

    // What is generic is inlinable: in another module it would look up its types for each value, which was most of what
    // a plan costs.

    /// A fixed-width integer, big-endian.
    @inlinable public mutating func write<Integer: FixedWidthInteger>(_ value: Integer) {
        withUnsafeBytes(of: value.bigEndian) { written.append(contentsOf: $0) }
    }

    /// 1 or 0.
    public mutating func write(_ value: Bool) { written.append(value ? 1 : 0) }

    /// UTF-8 with its byte count.
    public mutating func write(_ value: String) {
        var value = value
        value.withUTF8 { utf8 in
            write(UInt32(utf8.count))
            written.append(contentsOf: utf8)
        }
    }

    /// Bytes with their count.
    public mutating func write(bytes: [UInt8]) {
        write(UInt32(bytes.count))
        written.append(contentsOf: bytes)
    }

    /// A count, then each element by `body`.
    @inlinable public mutating func write<Element>(_ list: [Element], _ body: (inout ByteWriter, Element) -> Void) {
        write(UInt32(list.count))
        for element in list { body(&self, element) }
    }

    /// A flag, then the value by `body` when there is one.
    @inlinable public mutating func write<Value>(_ value: Value?, _ body: (inout ByteWriter, Value) -> Void) {
        write(value != nil)
        if let value { body(&self, value) }
    }
}

/// Why bytes were refused; the offset is where reading stopped.
public struct ByteError: Error, Hashable, Sendable {
    /// What was wrong.
    public enum Problem: Hashable, Sendable {
        /// Fewer bytes than the value needs.
        case truncated
        /// A count above the bytes that are left.
        case countTooLarge
        /// Text that is not UTF-8.
        case notUTF8
        /// A number that stands for nothing (an enum case, a flag).
        case unknownValue
        /// Bytes left over at the end.
        case trailingBytes
    }
    /// What was wrong.
    public let problem: Problem
    /// Byte offset from the start.
    public let offset: Int

    /// Both.
    public init(_ problem: Problem, at offset: Int) {
        self.problem = problem
        self.offset = offset
    }
}

/// Reads what `ByteWriter` wrote; checks every count against the bytes that are left before it allocates.
public struct ByteReader: Sendable {
    @usableFromInline let bytes: [UInt8]
    /// Offset of the next byte.
    public var offset: Int { place }
    @usableFromInline var place = 0

    /// From the start of `bytes`.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Bytes that are left.
    @inlinable public var remaining: Int { bytes.count - place }

    /// A fixed-width integer, big-endian.
    @inlinable public mutating func read<Integer: FixedWidthInteger>(
        _ type: Integer.Type = Integer.self
    ) throws(ByteError) -> Integer {
        let width = MemoryLayout<Integer>.size
        guard remaining >= width else { throw ByteError(.truncated, at: place) }
        var value = Integer.zero
        withUnsafeMutableBytes(of: &value) { value in
            bytes.withUnsafeBytes {
                value.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[place..<place + width]))
            }
        }
        place += width
        return Integer(bigEndian: value)
    }

    /// 1 or 0.
    @inlinable public mutating func readBool() throws(ByteError) -> Bool {
        switch try read(UInt8.self) {
        case 0: return false
        case 1: return true
        case _: throw ByteError(.unknownValue, at: place - 1)
        }
    }

    /// UTF-8 with its byte count.
    public mutating func readString() throws(ByteError) -> String {
        let count = try readCount()
        guard let text = String(validating: bytes[offset..<offset + count], as: UTF8.self) else {
            throw ByteError(.notUTF8, at: offset)
        }
        place += count
        return text
    }

    /// Bytes with their count.
    public mutating func readBytes() throws(ByteError) -> [UInt8] {
        let count = try readCount()
        defer { place += count }
        return [UInt8](bytes[offset..<offset + count])
    }

    /// A list; each element takes at least one byte, so the count is bounded by what is left.
    @inlinable public mutating func readList<Element>(
        _ body: (inout ByteReader) throws(ByteError) -> Element
    ) throws(ByteError) -> [Element] {
        let count = try readCount()
        var list: [Element] = []
        list.reserveCapacity(Swift.min(count, 4096))
        for _ in 0..<count { list.append(try body(&self)) }
        return list
    }

    /// A flag, then the value when it is set.
    @inlinable public mutating func readOptional<Value>(
        _ body: (inout ByteReader) throws(ByteError) -> Value
    ) throws(ByteError) -> Value? {
        try readBool() ? try body(&self) : nil
    }

    /// Ends the reading: left-over bytes are an error.
    public func finish() throws(ByteError) {
        guard remaining == 0 else { throw ByteError(.trailingBytes, at: offset) }
    }

    @usableFromInline mutating func readCount() throws(ByteError) -> Int {
        let count = Int(try read(UInt32.self))
        guard count <= remaining else { throw ByteError(.countTooLarge, at: offset - 4) }
        return count
    }
}
