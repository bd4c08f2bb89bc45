import SupervisorCore
import System
import Wire

extension Engine {
    func serveClient(_ peer: PeerID, _ events: PollEvents) {
        guard let client = clients[peer] else { return }
        if events.contains(.writable) { writeClient(peer) }
        guard !events.isDisjoint(with: [.readable, .hangUp, .error]), clients[peer] != nil else { return }
        let scratch = UnsafeMutableRawBufferPointer(rebasing: surroundings.scratch[..<65_536])
        let count: Int
        do {
            let safe = try listener.refusesDescriptors ? scratch.count : bytesWithoutDescriptors(client, scratch)
            guard let safe else {
                let why = BusErrorCode.badRequest.payload("descriptors mean nothing here")
                return dismiss(peer, Frame(.error, peer: .nexusd, id: .none, payload: why).bytes)
            }
            count = try kernel.read(client.socket, into: UnsafeMutableRawBufferPointer(rebasing: scratch[..<safe]))
        } catch {
            if error != .again { dismiss(peer) }
            return
        }
        guard count > 0 else { return dismiss(peer) }
        router.received(UnsafeRawBufferPointer(rebasing: scratch[..<count]), from: peer, at: now)
        guard client.name != nil else { return }
        // The limit runs from the first byte of a frame and is not moved by its further ones.
        client.deadline = router.isMidFrame(peer) ? client.deadline ?? now + ControlClient.patience : nil
    }

    /// How much can be read before the first byte that descriptors came with, which read(2) would close here; nil: none.
    private func bytesWithoutDescriptors(
        _ client: ControlClient, _ scratch: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int? {
        let next = try kernel.look(client.socket, into: scratch, credentials: false)
        return next.descriptorsLost ? nil : next.count
    }

    /// A hello has come.
    func joined(_ peer: PeerID) {
        guard let client = clients[peer] else { return }
        client.name = router.name(of: peer)
        client.deadline = nil
    }

    /// Writes what waits for a client, and sees to it that what comes next is waited for.
    func writeClient(_ peer: PeerID) {
        guard let client = clients[peer] else { return }
        let flushed = flush(peer, into: client.socket)
        guard flushed != .broken else { return dismiss(peer) }
        let waits = flushed == .waits
        let reads = router.answerBytes(for: peer) <= ControlClient.pauseAbove
        let wanted: PollEvents = (waits ? PollEvents.writable : []).union(reads ? .readable : [])
        guard wanted != client.watched else { return }
        client.watched = wanted
        try? surroundings.poller.modify(client.socket, token: EventSource.client(peer.rawValue).token, for: wanted)
    }

    /// The connection ends, perhaps with a last word.
    func dismiss(_ peer: PeerID, _ lastWord: [UInt8] = []) {
        guard let client = clients.removeValue(forKey: peer) else { return }
        router.linkDown(peer, at: now)
        surroundings.poller.remove(client.socket)
        if !lastWord.isEmpty {
            partings.say(lastWord, to: client, kernel, at: now)
        } else if !listener.refusesDescriptors {
            client.leave(by: disposal)
        }
    }

    func expireClients() {
        for (peer, client) in clients {
            guard let deadline = client.deadline, deadline <= now else { continue }
            let what = client.name == nil ? "no hello" : "no end of the frame"
            let words = "\(what) within \(ControlClient.patience.words)"
            dismiss(peer, Frame(.error, peer: .nexusd, id: .none, payload: BusErrorCode.timeout.payload(words)).bytes)
        }
    }
}
