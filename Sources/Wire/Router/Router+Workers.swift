import SupervisorCore

extension Router {
    /// A reload: other workers, or other rights among the same ones. Links stay; who may address others than before is
    /// told by an event. Requests that are open go on: they were allowed when they were made.
    public mutating func replaceWorkers(_ new: [Worker]) {
        let old = workers
        workers = Dictionary(new.map { ($0.peer, $0) }) { first, _ in first }
        for worker in new {
            guard let before = old[worker.peer] else { continue }
            _ = mutate(worker.peer) { $0.role = .worker(peers: worker.peers) }
            // A peer's name never changes, but a number that may be addressed may be a worker's only from now on.
            let isSame = addressable(before.peers, among: old) == addressable(worker.peers, among: workers)
            if !isSame || before.may != worker.may { announcePeers(of: worker.peer) }
        }
    }

    /// The workers among some peers, in the order of their numbers.
    private func addressable(_ peers: Set<PeerID>, among workers: [PeerID: Worker]) -> [PeerID] {
        peers.filter { workers[$0] != nil }.sorted { $0.rawValue < $1.rawValue }
    }

    private mutating func announcePeers(of peer: PeerID) {
        guard let link = links[peer] else { return }
        let peers = peers(of: link)
        let may = workers[peer]?.may ?? []
        event(to: peer) { json in
            json.field("event", "peers")
            Router.write(peers, into: &json)
            Router.write(may: may, into: &json)
        }
    }

    static func write(may: [String], into json: inout JSONWriter) {
        json.array("may") { json in for word in may { json.value(word) } }
    }

    /// Whom a link may address, as `welcome` and the event `peers` list them.
    func peers(of link: Link) -> [Worker] {
        workers.values.filter { link.mayAddress($0.peer) }.sorted { $0.peer.rawValue < $1.peer.rawValue }
    }

    static func write(_ peers: [Worker], into json: inout JSONWriter) {
        json.array("peers") { json in
            for worker in peers {
                json.object {
                    $0.field("name", worker.name)
                    $0.field("peer", worker.peer.rawValue)
                }
            }
        }
    }
}
