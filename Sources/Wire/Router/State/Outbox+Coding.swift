extension Outbox {
    func write(to writer: inout ByteWriter) {
        writer.write(current) { $1.write(to: &$0) }
        writer.write(UInt32(currentOffset))
        for queue in [urgent, data] { writer.write(queue.all) { $1.write(to: &$0) } }
        writer.write(passed) { writer, ping in
            writer.write(ping.0.rawValue)
            ping.1.write(to: &writer)
        }
    }

    /// Its accounts follow from what is in it.
    init(from reader: inout ByteReader) throws(ByteError) {
        self.init()
        current = try reader.readOptional { reader throws(ByteError) in try Queued(from: &reader) }
        let start = reader.offset
        currentOffset = Int(try reader.read(UInt32.self))
        guard currentOffset < (current?.frame.byteCount ?? 1) else { throw ByteError(.unknownValue, at: start) }
        for queued in try reader.readList({ reader throws(ByteError) in try Queued(from: &reader) }) {
            urgent.append(queued)
        }
        for queued in try reader.readList({ reader throws(ByteError) in try Queued(from: &reader) }) {
            data.append(queued)
        }
        passed = try reader.readList { reader throws(ByteError) in (try reader.readPeer(), try Frame(from: &reader)) }
        for queued in [current].compactMap({ $0 }) + urgent.all + data.all { charge(queued) }
    }

    private mutating func charge(_ queued: Queued) {
        let size = queued.frame.byteCount
        switch queued.account {
        case .own: ownBytes += size
        case .answer: answerBytes += size
        case .sender(let sender):
            if !queued.isPing { routedBytes += size }
            shares[sender, default: 0] += size
        }
    }
}

extension Outbox.Queued {
    func write(to writer: inout ByteWriter) {
        frame.write(to: &writer)
        switch account {
        case .own: writer.write(UInt8(0))
        case .answer: writer.write(UInt8(1))
        case .sender(let sender):
            writer.write(UInt8(2))
            writer.write(sender.rawValue)
        }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        frame = try Frame(from: &reader)
        switch try reader.read(UInt8.self) {
        case 0: account = .own
        case 1: account = .answer
        case 2: account = .sender(try reader.readPeer())
        case _: throw ByteError(.unknownValue, at: reader.offset - 1)
        }
    }
}

extension FIFO {
    /// From the first to the last.
    var all: [Element] {
        var all: [Element] = []
        scan {
            all.append($0)
            return true
        }
        return all
    }
}

extension FrameDecoder {
    func write(to writer: inout ByteWriter) {
        switch state {
        case .header(let begun):
            writer.write(false)
            writer.write(bytes: begun)
        case .payload(let header, let begun):
            writer.write(true)
            var bytes: [UInt8] = []
            header.append(to: &bytes)
            writer.write(bytes: bytes)
            writer.write(bytes: begun)
        }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init()
        let start = reader.offset
        if try reader.readBool() {
            let header = try FrameHeader(whole: try reader.readBytes(), at: start)
            let begun = try reader.readBytes()
            guard begun.count < header.length else { throw ByteError(.unknownValue, at: start) }
            state = .payload(header, begun)
        } else {
            let begun = try reader.readBytes()
            guard begun.count < FrameHeader.byteCount else { throw ByteError(.unknownValue, at: start) }
            state = .header(begun)
        }
    }
}

extension Frame {
    func write(to writer: inout ByteWriter) { writer.write(bytes: bytes) }

    init(from reader: inout ByteReader) throws(ByteError) {
        let start = reader.offset
        let bytes = try reader.readBytes()
        let header = try FrameHeader(whole: Array(bytes.prefix(FrameHeader.byteCount)), at: start)
        guard bytes.count == FrameHeader.byteCount + Int(header.length) else {
            throw ByteError(.unknownValue, at: start)
        }
        self.init(header: header, payload: Array(bytes.dropFirst(FrameHeader.byteCount)))
    }
}

extension FrameHeader {
    fileprivate init(whole bytes: [UInt8], at offset: Int) throws(ByteError) {
        guard bytes.count == FrameHeader.byteCount,
            let header = bytes.withUnsafeBytes({ try? FrameHeader(decoding: $0) })
        else { throw ByteError(.unknownValue, at: offset) }
        self = header
    }
}
