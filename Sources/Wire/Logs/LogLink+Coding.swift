import SupervisorCore

/// The log link's packets: one frame header (kind `event`, peer 0, id 0), then the word as `ByteWriter` makes it. A
/// SOCK_SEQPACKET socket keeps packets whole, so a packet that does not decode is refused alone and the next one stands.
extension LogOrder {
    /// Header and payload. May exceed the payload limit when the text in it does: whoever makes events bounds them.
    public func packet() -> [UInt8] { makePacket(encoded()) }

    /// Reads a packet. Total: any bytes give an order or an error.
    public init(packet: [UInt8]) throws(ByteError) { try self.init(encoded: try payload(of: packet)) }

    /// The payload alone.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .greeting(let second, let alive):
            writer.write(UInt8(1))
            writer.write(second)
            writer.write(alive) { $0.write($1.rawValue) }
        case .stream(let stream):
            writer.write(UInt8(2))
            stream.write(to: &writer)
        case .event(let event):
            writer.write(UInt8(3))
            event.write(to: &writer)
        case .last(let run, let lines, let tag):
            writer.write(UInt8(4))
            writer.write(run.rawValue)
            writer.write(lines)
            writer.write(tag)
        case .drain:
            writer.write(UInt8(5))
        case .missing(let child, let lines):
            writer.write(UInt8(6))
            writer.write(child)
            writer.write(lines)
        }
        return writer.bytes
    }

    /// Reads a payload. Total: any bytes give an order or an error.
    public init(encoded bytes: [UInt8]) throws(ByteError) {
        var reader = ByteReader(bytes)
        switch try reader.read(UInt8.self) {
        case 1:
            let second = try reader.read(UInt32.self)
            self = .greeting(
                second: second, alive: try reader.readList { reader throws(ByteError) in try reader.readRun() })
        case 2: self = .stream(try LogStream(from: &reader))
        case 3: self = .event(try LogEvent(from: &reader))
        case 4: self = .last(try reader.readRun(), lines: try reader.read(), tag: try reader.read())
        case 5: self = .drain
        case 6: self = .missing(child: try reader.readString(), lines: try reader.read())
        case _: throw ByteError(.unknownValue, at: 0)
        }
        try reader.finish()
    }
}

extension LogReport {
    /// Header and payload.
    public func packet() -> [UInt8] { makePacket(encoded()) }

    /// Reads a packet. Total: any bytes give a report or an error.
    public init(packet: [UInt8]) throws(ByteError) { try self.init(encoded: try payload(of: packet)) }

    /// The payload alone.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .ready:
            writer.write(UInt8(1))
        case .eof(let stream):
            writer.write(UInt8(2))
            writer.write(stream)
        case .matched(let stream, let captures):
            writer.write(UInt8(3))
            writer.write(stream)
            writer.write(captures) {
                $0.write($1.name)
                $0.write($1.value)
            }
        case .last(let tag, let lines):
            writer.write(UInt8(4))
            writer.write(tag)
            writer.write(lines) { $0.write($1) }
        case .counted(let child, let counts):
            writer.write(UInt8(5))
            writer.write(child)
            counts.write(to: &writer)
        case .drained:
            writer.write(UInt8(6))
        case .journal(let isThere):
            writer.write(UInt8(7))
            writer.write(isThere)
        case .filing(let child, let trouble):
            writer.write(UInt8(8))
            writer.write(child)
            writer.write(trouble)
        case .alive(let isBehind):
            writer.write(UInt8(9))
            writer.write(isBehind)
        case .book(let trouble):
            writer.write(UInt8(10))
            writer.write(trouble)
        case .remarked(let child):
            writer.write(UInt8(11))
            writer.write(child)
        }
        return writer.bytes
    }

    /// Reads a payload. Total: any bytes give a report or an error.
    public init(encoded bytes: [UInt8]) throws(ByteError) {
        var reader = ByteReader(bytes)
        switch try reader.read(UInt8.self) {
        case 1: self = .ready
        case 2: self = .eof(stream: try reader.read())
        case 3:
            let stream = try reader.read(UInt32.self)
            self = .matched(
                stream: stream,
                captures: try reader.readList { reader throws(ByteError) in
                    Capture(name: try reader.readString(), value: try reader.readString())
                })
        case 4:
            let tag = try reader.read(UInt32.self)
            self = .last(tag: tag, lines: try reader.readList { reader throws(ByteError) in try reader.readString() })
        case 5: self = .counted(child: try reader.readString(), try LogCounts(from: &reader))
        case 6: self = .drained
        case 7: self = .journal(isThere: try reader.readBool())
        case 8: self = .filing(child: try reader.readString(), trouble: try reader.readString())
        case 9: self = .alive(isBehind: try reader.readBool())
        case 10: self = .book(trouble: try reader.readString())
        case 11: self = .remarked(child: try reader.readString())
        case _: throw ByteError(.unknownValue, at: 0)
        }
        try reader.finish()
    }
}

extension LogStream {
    fileprivate func write(to writer: inout ByteWriter) {
        writer.write(number)
        writer.write(child)
        writer.write(run.rawValue)
        writer.write(kind.rawValue)
        writer.write(fileBytes)
        writer.write(files)
        writer.write(journal)
        writer.write(rate) {
            $0.write($1.lines)
            $0.write($1.window.nanoseconds)
        }
        writer.write(pattern) { writer, pattern in
            writer.write(pattern.pieces) { $1.write(to: &$0) }
        }
        writer.write(redactions) { $0.write($1) }
    }

    fileprivate init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            number: try reader.read(), child: try reader.readString(), run: try reader.readRun(),
            kind: try reader.readCase(), fileBytes: try reader.read(), files: try reader.read(),
            journal: try reader.readBool(),
            rate: try reader.readOptional { reader throws(ByteError) in
                LogRate(lines: try reader.read(), window: .nanoseconds(try reader.read(Int64.self)))
            },
            pattern: try reader.readOptional { reader throws(ByteError) in
                LinePattern(
                    pieces: try reader.readList { reader throws(ByteError) in try LinePattern.Piece(from: &reader) })
            },
            redactions: try reader.readList { reader throws(ByteError) in try reader.readString() })
    }
}

extension LogCounts {
    fileprivate func write(to writer: inout ByteWriter) {
        for count in [bytes, lines, suppressed, dropped, missingInJournal] { writer.write(count) }
    }

    fileprivate init(from reader: inout ByteReader) throws(ByteError) {
        self.init()
        bytes = try reader.read()
        lines = try reader.read()
        suppressed = try reader.read()
        dropped = try reader.read()
        missingInJournal = try reader.read()
    }
}

extension LinePattern.Piece {
    fileprivate func write(to writer: inout ByteWriter) {
        switch self {
        case .literal(let text):
            writer.write(UInt8(1))
            writer.write(text)
        case .capture(let name):
            writer.write(UInt8(2))
            writer.write(name)
        case .integer(let name):
            writer.write(UInt8(3))
            writer.write(name)
        }
    }

    fileprivate init(from reader: inout ByteReader) throws(ByteError) {
        let offset = reader.offset
        switch try reader.read(UInt8.self) {
        case 1: self = .literal(try reader.readString())
        case 2: self = .capture(name: try reader.readString())
        case 3: self = .integer(name: try reader.readString())
        case _: throw ByteError(.unknownValue, at: offset)
        }
    }
}

extension LogEvent {
    fileprivate func write(to writer: inout ByteWriter) {
        writer.write(priority)
        writer.write(messageID)
        writer.write(message)
        writer.write(child) { $0.write($1) }
        writer.write(run) { $0.write($1.rawValue) }
        writer.write(book.rawValue)
        writer.write(fields) {
            $0.write($1.name)
            $0.write($1.value)
        }
    }

    fileprivate init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            priority: try reader.read(), messageID: try reader.readString(), message: try reader.readString(),
            child: try reader.readOptional { reader throws(ByteError) in try reader.readString() },
            run: try reader.readOptional { reader throws(ByteError) in try reader.readRun() },
            book: try reader.readCase(),
            fields: try reader.readList { reader throws(ByteError) in
                Field(name: try reader.readString(), value: try reader.readString())
            })
    }
}

extension ByteReader {
    fileprivate mutating func readRun() throws(ByteError) -> RunID { RunID(rawValue: try read()) }

    fileprivate mutating func readCase<Case: RawRepresentable<UInt8>>() throws(ByteError) -> Case {
        let start = offset
        guard let value = Case(rawValue: try read()) else { throw ByteError(.unknownValue, at: start) }
        return value
    }
}

private func makePacket(_ payload: [UInt8]) -> [UInt8] {
    let header = FrameHeader(
        length: UInt32(payload.count), kind: .event, peer: .nexusd, id: FrameID(rawValue: 0))
    var bytes: [UInt8] = []
    bytes.reserveCapacity(FrameHeader.byteCount + payload.count)
    header.append(to: &bytes)
    return bytes + payload
}

private func payload(of packet: [UInt8]) throws(ByteError) -> [UInt8] {
    guard packet.count >= FrameHeader.byteCount else { throw ByteError(.truncated, at: packet.count) }
    guard let header = packet.withUnsafeBytes({ try? FrameHeader(decoding: $0) }),
        header.kind == .event, header.peer == .nexusd, header.id == FrameID(rawValue: 0)
    else { throw ByteError(.unknownValue, at: 0) }
    let end = FrameHeader.byteCount + Int(header.length)
    guard packet.count >= end else { throw ByteError(.truncated, at: packet.count) }
    guard packet.count == end else { throw ByteError(.trailingBytes, at: end) }
    return Array(packet[FrameHeader.byteCount...])
}
