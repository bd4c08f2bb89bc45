import Wire

public import Wire

/// A blocking client of the control socket: frames as on the bus, requests in words, answers in JSON.
///
/// Requests are queued and leave with the next `flush`, so that hello and request travel in one write and nexusd's
/// welcome and answer come back in one read. The protocol is that of docs/bus-protocol.md.
public final class ControlConnection {
    /// Frames of the longest answer that is put together: 64 MiB of full ones.
    public static let answerFrames = 1024

    private let socket: UnixSocket
    private var outgoing: [UInt8] = []
    private var decoder = FrameDecoder()
    private var inbox: [Frame] = []
    // Frames are taken from the front; the array is emptied only when all of them are.
    private var taken = 0
    private var lastID: UInt64 = 0
    // Answers that came while another one was waited for. A list, not a dictionary: there is hardly ever one, and making
    // a dictionary's type at run time costs a tenth of all that `status` takes.
    private var aside: [(id: FrameID, frames: [Frame])] = []
    /// What nexusd said in `welcome`; nil until that frame was read.
    public private(set) var welcome: JSONValue?
    /// True after nexusd ended the connection.
    public private(set) var isClosed = false

    /// Connects and queues the greeting. `name` is what nexusd shows of this client; one word.
    /// - Parameter interrupt: a descriptor that ends each wait, as `interrupted`, while it can be read; it is not read here.
    /// - Parameter waitsForNext: where nexusd was killed and systemd starts the next one, for that, 5 s at most.
    public init(
        socket path: String, name: String = "nexusctl", interrupt: Int32? = nil, waitsForNext: Bool = false
    ) throws(ControlError) {
        socket =
            waitsForNext
            ? try NextNexusd.connect(path, interrupt: interrupt)
            : try UnixSocket(connectingTo: path, interrupt: interrupt)
        queue(.hello, payload: Array("1 1 \(name)".utf8))
    }

    /// For poll(2) beside other descriptors. Poll only when `hasFrame` is false.
    public var descriptor: Int32 { socket.descriptor }

    /// The uid nexusd runs as, by the kernel's word.
    public var serverUid: UInt32? { socket.peerUid }

    /// Queues a request of nexusd, in words.
    public func request(_ words: String) -> FrameID { request(Array(words.utf8), to: .nexusd) }

    /// Queues a request of a peer.
    public func request(_ payload: [UInt8], to peer: PeerID) -> FrameID {
        lastID += 1
        let id = FrameID(rawValue: lastID)
        queue(.request, peer: peer, id: id, payload: payload)
        return id
    }

    /// Queues the word that nobody listens to this answer any more.
    public func cancel(_ id: FrameID, of peer: PeerID = .nexusd) { queue(.cancel, peer: peer, id: id) }

    /// Queues a `stream` or `end` frame of an upload, which goes with a request. Credit comes as frames of `next`.
    public func send(_ kind: FrameKind, _ payload: [UInt8], _ id: FrameID, to peer: PeerID) {
        queue(kind, peer: peer, id: id, payload: payload)
    }

    /// Sends what is queued.
    public func flush() throws(ControlError) {
        if outgoing.isEmpty { return }
        let bytes = outgoing
        outgoing.removeAll(keepingCapacity: true)
        // When nexusd reads no more it has said why, and that is still to be read: a refusal, or the end.
        _ = try socket.write(bytes)
    }

    /// True when `next` has frames to look at without waiting.
    public var hasFrame: Bool { taken < inbox.count }

    /// The next frame that matters to a caller: welcome is kept, pings are answered, credit is granted on the way.
    /// - Parameter deadline: milliseconds of `now()`; nil waits for ever.
    /// - Returns: nil when the deadline passed.
    public func next(until deadline: Int64? = nil) throws(ControlError) -> Frame? {
        while true {
            try flush()
            guard let frame = try read(until: deadline) else { return nil }
            switch frame.header.kind {
            case .welcome:
                welcome = try Self.json(frame.payload)
            case .ping:
                queue(.pong, id: frame.header.id, payload: frame.payload)
            case .error where frame.header.id.rawValue == 0:
                // Its last word: nothing more comes, and nothing is read.
                isClosed = true
                throw Self.failure(frame.payload)
            case .stream:
                acknowledge(frame)
                // A caller that looks at other descriptors too may not be back before the sender has its credit again.
                if !hasFrame { try flush() }
                return frame
            case .hello, .request, .reply, .error, .event, .end, .cancel, .credit, .pong, .drain, .drained, .ready,
                .status, .health:
                return frame
            }
        }
    }

    /// The whole answer to a request: a reply, or a stream put together.
    public func answer(to id: FrameID, until deadline: Int64? = nil) throws(ControlError) -> [UInt8] {
        if let answer = try answerIfAny(to: id, until: deadline) { return answer }
        throw ControlError(.timeout, "nexusd did not answer in time", hint: "is it stopped, or the machine overloaded?")
    }

    /// The same, or nil when the deadline passed; what came of it until then is kept for the next call. Frames of other
    /// requests are kept for theirs.
    public func answerIfAny(to id: FrameID, until deadline: Int64?) throws(ControlError) -> [UInt8]? {
        while true {
            let place = aside.firstIndex { $0.id == id }
            if let place, let answer = try assembled(aside[place].frames) {
                aside.remove(at: place)
                return answer
            }
            guard let frame = try next(until: deadline) else { return nil }
            try keep(frame)
        }
    }

    private func keep(_ frame: Frame) throws(ControlError) {
        guard let place = aside.firstIndex(where: { $0.id == frame.header.id }) else {
            return aside.append((frame.header.id, [frame]))
        }
        guard aside[place].frames.count < Self.answerFrames else {
            throw ControlError(.failed, "the answer is longer than \(Self.answerFrames) frames")
        }
        aside[place].frames.append(frame)
    }

    /// The answer that these frames make; nil while its last one is missing.
    private func assembled(_ frames: [Frame]) throws(ControlError) -> [UInt8]? {
        guard let last = frames.last else { return nil }
        switch last.header.kind {
        case .reply, .end: return frames.flatMap(\.payload)
        case .error: throw Self.failure(last.payload)
        case .stream, .hello, .welcome, .request, .event, .cancel, .credit, .ping, .pong, .drain, .drained, .ready,
            .status, .health:
            return nil
        }
    }

    /// The number of a worker that may be addressed, from `welcome`.
    public func peer(named name: String, until deadline: Int64? = nil) throws(ControlError) -> PeerID? {
        while welcome == nil {
            try flush()
            guard let frame = try read(until: deadline) else {
                throw ControlError(.timeout, "nexusd did not answer in time")
            }
            if frame.header.kind == .error {
                isClosed = true
                throw Self.failure(frame.payload)
            }
            if frame.header.kind == .welcome { welcome = try Self.json(frame.payload) }
        }
        let entry = welcome?["peers"]?.elements.first { $0["name"]?.text == name }
        return entry?["peer"]?.number.flatMap { UInt16(exactly: $0) }.map(PeerID.init(rawValue:))
    }

    /// CLOCK_MONOTONIC in milliseconds, for deadlines.
    public static func now() -> Int64 { UnixSocket.milliseconds() }

    /// A payload as JSON.
    public static func json(_ payload: [UInt8]) throws(ControlError) -> JSONValue {
        do {
            return try JSONParser.parse(payload)
        } catch {
            throw ControlError(.failed, "nexusd's answer is not JSON (byte \(error.offset))")
        }
    }

    /// What an `error` frame says.
    public static func failure(_ payload: [UInt8]) -> ControlError {
        let json = try? JSONParser.parse(payload)
        let message = json?["message"]?.text ?? String(decoding: payload, as: UTF8.self)
        switch json?["code"]?.text {
        case "refused": return ControlError(.refused, message)
        case "configuration": return ControlError(.configuration, message, hint: "nothing was changed")
        case "bad-request", "unknown": return ControlError(.usage, message)
        case "timeout": return ControlError(.timeout, message)
        case _: return ControlError(.failed, message)
        }
    }

    /// Grants each frame's cost at once: a sender may keep far less under way than its credit allows (docs/bus-protocol.md)
    /// and would wait for ever for a reader that saves its grants up.
    private func acknowledge(_ frame: Frame) {
        guard frame.header.peer != .nexusd else { return }
        var payload = ByteWriter()
        payload.write(UInt32(frame.header.creditCost))
        queue(.credit, peer: frame.header.peer, id: frame.header.id, payload: payload.bytes)
    }

    private func queue(_ kind: FrameKind, peer: PeerID = .nexusd, id: FrameID = .none, payload: [UInt8] = []) {
        Frame(kind, peer: peer, id: id, payload: payload).append(to: &outgoing)
    }

    private func read(until deadline: Int64?) throws(ControlError) -> Frame? {
        while taken == inbox.count {
            inbox.removeAll(keepingCapacity: true)
            taken = 0
            guard try fill(until: deadline) else { return nil }
        }
        taken += 1
        return inbox[taken - 1]
    }

    /// One read(2), and the frames that it completes; false when the deadline passed.
    private func fill(until deadline: Int64?) throws(ControlError) -> Bool {
        let size = FrameHeader.byteCount + FrameHeader.payloadLimit
        let result = withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { room in
            Result { () throws(ControlError) -> Bool in
                guard let count = try socket.read(into: room, until: deadline) else { return false }
                guard count > 0 else {
                    isClosed = true
                    throw ControlError(.failed, "nexusd closed the connection", hint: "it may be stopping; ask again")
                }
                try decode(UnsafeRawBufferPointer(rebasing: room[..<count]))
                return true
            }
        }
        return try result.get()
    }

    private func decode(_ bytes: UnsafeRawBufferPointer) throws(ControlError) {
        var rest = bytes
        do {
            while let frame = try decoder.next(from: &rest) { inbox.append(frame) }
        } catch {
            throw ControlError(.failed, "\(error)", hint: "are nexusd and nexusctl of one version?")
        }
    }
}
