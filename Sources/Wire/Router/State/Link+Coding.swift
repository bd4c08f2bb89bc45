import SupervisorCore

extension Link {
    func write(to writer: inout ByteWriter) {
        writer.write(name)
        writer.write(epoch.rawValue)
        writer.write(isGreeted)
        writer.write(isDrainDue)
        decoder.write(to: &writer)
        outbox.write(to: &writer)
        writer.write(fullSince) { $0.write($1.nanoseconds) }
        writer.write(UInt32(clamping: lostEvents))
        writer.write(lastLostEvent.rawValue)
        counts.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(.worker(peers: []), name: try reader.readString(), epoch: Epoch(rawValue: try reader.read()))
        isGreeted = try reader.readBool()
        isDrainDue = try reader.readBool()
        decoder = try FrameDecoder(from: &reader)
        outbox = try Outbox(from: &reader)
        fullSince = try reader.readOptional { reader throws(ByteError) in Instant(nanoseconds: try reader.read()) }
        lostEvents = Int(try reader.read(UInt32.self))
        lastLostEvent = FrameID(rawValue: try reader.read())
        counts = try BusCounts(from: &reader)
    }
}

extension OpenRequest {
    func write(to writer: inout ByteWriter) {
        writer.write(requester.rawValue)
        writer.write(responder.rawValue)
        writer.write(requesterID.rawValue)
        writer.write(isSent)
        writer.write(isStreaming)
        writer.write(hasUploadEnded)
        writer.write(Int32(clamping: self[credit: .answer]))
        writer.write(Int32(clamping: self[credit: .upload]))
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            requester: try reader.readPeer(), responder: try reader.readPeer(),
            requesterID: FrameID(rawValue: try reader.read()))
        isSent = try reader.readBool()
        isStreaming = try reader.readBool()
        hasUploadEnded = try reader.readBool()
        self[credit: .answer] = Int(try reader.read(Int32.self))
        self[credit: .upload] = Int(try reader.read(Int32.self))
    }
}

extension WaitingRequests.Entry {
    func write(to writer: inout ByteWriter) {
        frame.write(to: &writer)
        writer.write(sender.rawValue)
        writer.write(deadline.nanoseconds)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            frame: try Frame(from: &reader), sender: try reader.readPeer(),
            deadline: Instant(nanoseconds: try reader.read()))
    }
}

extension BusCounts {
    func write(to writer: inout ByteWriter) {
        for count in [framesIn, bytesIn, framesOut, bytesOut, refused, full] { writer.write(count) }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init()
        framesIn = try reader.read()
        bytesIn = try reader.read()
        framesOut = try reader.read()
        bytesOut = try reader.read()
        refused = try reader.read()
        full = try reader.read()
    }
}

extension ByteReader {
    mutating func readPeer() throws(ByteError) -> PeerID { PeerID(rawValue: try read()) }
}
