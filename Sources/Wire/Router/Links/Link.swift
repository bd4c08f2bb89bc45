import SupervisorCore

/// The router's side of one pair of pipes, or of one control connection.
struct Link: Sendable {
    /// What is at the other end.
    enum Role: Sendable {
        /// A child; it may address these.
        case worker(peers: Set<PeerID>)
        case client(Client)
    }

    /// A control client.
    struct Client: Sendable {
        let uid: UInt32
        /// The control class of the socket; the read class talks to nexusd alone.
        let mayAddressWorkers: Bool
        /// Its open requests: its own ids, and those under which the bus knows them.
        var ids: [FrameID: FrameID] = [:]
        var lastID: UInt32 = 0
        /// Workers that were told of it.
        var known: Set<PeerID> = []
    }

    var role: Role
    var name: String
    let epoch: Epoch
    var isGreeted = false
    /// The drain word was given before hello.
    var isDrainDue = false
    var decoder = FrameDecoder()
    var outbox = Outbox()
    /// Since when frames for it are refused without its having taken anything.
    var fullSince: Instant?
    /// True from the first queued frame until the shell took notice.
    var isAnnounced = false
    /// Open requests it made, open requests it serves, and those of both that are streams.
    var asking = 0
    var serving = 0
    var streams = 0
    /// Events of its own that did not arrive since it was last told.
    var lostEvents = 0
    var lastLostEvent = FrameID.none
    var counts = BusCounts()

    init(_ role: Role, name: String, epoch: Epoch) {
        self.role = role
        self.name = name
        self.epoch = epoch
    }

    var isWorker: Bool {
        switch role {
        case .worker: true
        case .client: false
        }
    }

    func mayAddress(_ peer: PeerID) -> Bool {
        switch role {
        case .worker(let peers): peers.contains(peer)
        case .client(let client): client.mayAddressWorkers && !peer.isClient
        }
    }

    /// The bus's id for an id in a frame of this link, when that is an open request.
    func globalID(_ id: FrameID) -> FrameID? {
        switch role {
        case .worker: id
        case .client(let client): client.ids[id]
        }
    }

    mutating func withClient<Value>(_ body: (inout Client) -> Value) -> Value? {
        switch role {
        case .worker: return nil
        case .client(var client):
            // The role lets go of its tables while they change: no copy.
            role = .worker(peers: [])
            defer { role = .client(client) }
            return body(&client)
        }
    }
}
