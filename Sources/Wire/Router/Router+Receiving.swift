public import SupervisorCore

extension Router {
    /// Bytes that came on a link. Faults end it.
    public mutating func received(_ bytes: UnsafeRawBufferPointer, from peer: PeerID, at now: Instant) {
        // The decoder leaves the table while it works: growing its half frame must not copy it.
        guard
            var decoder = mutate(
                peer,
                { link in
                    var taken = FrameDecoder()
                    swap(&taken, &link.decoder)
                    return taken
                })
        else { return }
        var rest = bytes
        do {
            while let frame = try decoder.next(from: &rest) {
                received(frame, from: peer, at: now)
                // A fault in the frame has ended the link: what follows is nobody's.
                if links[peer] == nil { return }
            }
            _ = mutate(peer) { $0.decoder = decoder }
        } catch {
            end(peer, .frame(error), at: now)
        }
    }

    /// One frame that came on a link.
    public mutating func received(_ frame: Frame, from peer: PeerID, at now: Instant) {
        let met = mutate(peer) { link in
            link.counts.framesIn += 1
            link.counts.bytesIn += UInt64(frame.byteCount)
            return (link.isGreeted, link.isWorker)
        }
        guard let (isGreeted, isWorker) = met else { return }
        let kind = frame.header.kind
        guard isGreeted else {
            if kind == .hello { return greet(frame, from: peer, at: now) }
            return end(peer, .greeting(kind), at: now)
        }
        switch kind {
        case .hello: end(peer, .greeting(kind), at: now)
        case .request: request(frame, from: peer, at: now)
        case .reply, .error, .stream, .end, .cancel, .credit: answer(frame, from: peer, at: now)
        case .ping where frame.header.peer == .nexusd && frame.payload.count <= Router.pingLimit:
            // A pong is a barrier: whatever went wrong with frames before the ping has been said before it.
            tellLostEvents(peer, evenIfUnread: true)
            own(.pong, to: peer, id: frame.header.id, frame.payload)
        case .ping where isWorker && frame.header.peer != .nexusd && frame.payload.count <= Router.pingLimit:
            ping(frame, from: peer, at: now)
        case .pong where frame.header.peer == .nexusd: break
        case .event where isWorker: event(frame, from: peer, at: now)
        case .ready, .drained, .status, .health:
            guard isWorker, frame.header.peer == .nexusd else {
                return end(peer, .kind(kind, to: frame.header.peer), at: now)
            }
            report(frame, from: peer)
        case .welcome, .drain, .event, .ping, .pong: end(peer, .kind(kind, to: frame.header.peer), at: now)
        }
    }

    /// Bytes of a ping.
    static let pingLimit = 64

    // MARK: - Greeting

    /// Bytes of the name in a hello.
    static let helloNameLimit = 64

    private mutating func greet(_ frame: Frame, from peer: PeerID, at now: Instant) {
        let words = String(decoding: frame.payload, as: UTF8.self).split(separator: " ", maxSplits: 2)
        guard words.count == 3, words[2].utf8.count <= Router.helloNameLimit, let min = Int(words[0]),
            let max = Int(words[1])
        else {
            return end(peer, .badHello, at: now)
        }
        guard min <= Int(FrameHeader.version), max >= Int(FrameHeader.version) else {
            return end(peer, .version(min: min, max: max), at: now)
        }
        _ = mutate(peer) { link in
            link.isGreeted = true
            // A worker has the name that Supervisor.toml gives it, whatever it calls itself.
            if !link.isWorker { link.name = Router.printable(words[2].utf8, limit: Router.helloNameLimit) }
        }
        own(.welcome, to: peer, id: .none, welcome(peer))
        if links[peer]?.isDrainDue == true { drain(peer) }
        decisions.append(.joined(peer))
        announcePeer(peer, isUp: true)
        sendWaiting(peer, at: now)
    }

    private func welcome(_ peer: PeerID) -> [UInt8] {
        guard let link = links[peer] else { return [] }
        let peers = peers(of: link)
        var json = JSONWriter()
        json.object { json in
            json.field("protocol", FrameHeader.version)
            json.field("epoch", link.epoch.rawValue)
            json.field("peer", peer.rawValue)
            json.field("name", link.name)
            Router.write(peers, into: &json)
            Router.write(may: workers[peer]?.may ?? [], into: &json)
            json.object("values") { Router.write(values[peer] ?? [:], into: &$0) }
        }
        return json.bytes
    }

    // MARK: - Words about the worker itself, and events

    private mutating func report(_ frame: Frame, from peer: PeerID) {
        switch frame.header.kind {
        case .ready: decisions.append(.ready(peer))
        case .drained: decisions.append(.drained(peer))
        case .status: decisions.append(.status(peer, Router.printable(frame.payload, limit: Router.statusLimit)))
        case .health:
            let text = Router.printable(frame.payload, limit: 4 * Router.statusLimit)
            let words = text.split(separator: " ", maxSplits: 2)
            guard words.count >= 2, words[1] == "healthy" || words[1] == "unhealthy" else {
                return own(
                    .error, to: peer, id: frame.header.id,
                    BusErrorCode.badRequest.payload("health's words are: CHILD healthy, or CHILD unhealthy WHY"))
            }
            decisions.append(
                .health(
                    child: String(words[0]), isHealthy: words[1] == "healthy",
                    why: words.count > 2 ? String(words[2]) : "", from: peer))
        case .hello, .welcome, .request, .reply, .error, .event, .stream, .end, .cancel, .credit, .ping, .pong, .drain:
            break
        }
    }

    private mutating func event(_ frame: Frame, from peer: PeerID, at now: Instant) {
        let receiver = frame.header.peer
        guard let link = links[peer] else { return }
        guard frame.header.id.epoch == link.epoch else { return end(peer, .foreignID(frame.header.id), at: now) }
        guard link.mayAddress(receiver) else { return refuse(frame.header.id, from: peer, to: receiver) }
        var event = frame
        event.header.peer = peer
        if offer(event, from: peer, to: receiver, at: now) { return }
        // Told with the next frames it reads, as a number: it may be sending thousands without reading.
        _ = mutate(peer) { link in
            link.lostEvents += 1
            link.lastLostEvent = frame.header.id
        }
        announce(peer)
    }

    /// At the moment of writing, or of a ping: what of this link's own events did not arrive.
    mutating func tellLostEvents(_ peer: PeerID, evenIfUnread: Bool = false) {
        let lost = mutate(peer) { link -> (Int, FrameID)? in
            // One such word at a time: a link that does not read must not collect them.
            guard link.lostEvents > 0, evenIfUnread || link.outbox.ownBytes == 0 else { return nil }
            defer { link.lostEvents = 0 }
            return (link.lostEvents, link.lastLostEvent)
        }.flatMap { $0 }
        guard let (count, id) = lost else { return }
        own(
            .error, to: peer, id: id,
            BusErrorCode.busy.payload("\(count) events up to this one were dropped: their receiver is down or full"))
    }

    /// One line that can be shown: escape sequences are left out, control characters and marks of direction become spaces, what
    /// is not UTF-8 becomes U+FFFD.
    static func printable(_ bytes: some Collection<UInt8>, limit: Int) -> String {
        var text = ""
        for scalar in EscapeSequence.removed(from: String(decoding: bytes.prefix(limit), as: UTF8.self)).unicodeScalars
        {
            text.unicodeScalars.append(ControlText.isUnsafe(scalar) ? " " : scalar)
            if text.utf8.count >= limit { break }
        }
        return text
    }
}
