public import Wire

/// What nexusd says first: who this worker is, and whom it may address.
public struct Welcome: Hashable, Sendable {
    /// This incarnation; the upper half of every id this worker makes.
    public var epoch: Epoch
    /// This worker's own number.
    public var peer: PeerID
    /// This worker's name in Supervisor.toml.
    public var name: String
    /// The workers it may address, by name.
    public var peers: [String: PeerID]
    /// What it may ask of nexusd, in the words of Supervisor.toml: `restart:opencode`.
    public var may: [String]
    /// What siblings told about themselves: `["opencode.port": "4096"]`.
    public var values: [String: String]
}

extension Welcome: Decodable {
    private enum CodingKeys: String, CodingKey { case epoch, peer, name, peers, may, values }

    private struct Peer: Decodable {
        var name: String
        var peer: UInt16
    }

    /// From the payload of `welcome`.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        epoch = Epoch(rawValue: try fields.decode(UInt32.self, forKey: .epoch))
        peer = PeerID(rawValue: try fields.decode(UInt16.self, forKey: .peer))
        name = try fields.decode(String.self, forKey: .name)
        let listed = try fields.decodeIfPresent([Peer].self, forKey: .peers) ?? []
        peers = Dictionary(listed.map { ($0.name, PeerID(rawValue: $0.peer)) }) { first, _ in first }
        may = try fields.decodeIfPresent([String].self, forKey: .may) ?? []
        values = try fields.decodeIfPresent([String: String].self, forKey: .values) ?? [:]
    }
}
