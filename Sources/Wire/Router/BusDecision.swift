/// What the router leaves to its shell; taken by `Router.takeDecisions`, in order.
public enum BusDecision: Hashable, Sendable {
    /// The peer said hello and has its welcome.
    case joined(PeerID)
    /// A request to nexusd itself. Whether the peer may ask this is the shell's to check; it answers through
    /// `reply`, `fail`, or `stream` and `endStream`, with this id.
    case request(FrameID, from: PeerID, words: [UInt8])
    /// Nobody waits for the answer to this request any more (it was cancelled, or its link is gone).
    case cancelled(FrameID)
    /// The end of a question of nexusd's own (`Router.ask`): the reply's payload.
    case answered(FrameID, [UInt8])
    /// The end of a question of nexusd's own without an answer, and why.
    case unanswered(FrameID, String)
    /// The worker's `ready`.
    case ready(PeerID)
    /// The worker's `drained`.
    case drained(PeerID)
    /// One printable line, at most `Router.statusLimit` bytes.
    case status(PeerID, String)
    /// A word about a child's health; whether the worker may say it is the shell's to check.
    case health(child: String, isHealthy: Bool, why: String, from: PeerID)
    /// For the audit: a peer asked for another one that Supervisor.toml does not let it address.
    case refused(from: PeerID, to: PeerID)
    /// The router has ended this link and forgotten it: close its descriptors; a worker's run is to be ended.
    case endLink(PeerID, LinkFault)
}

/// Why a link was ended.
public enum LinkFault: Error, Hashable, Sendable {
    /// Bytes that are no frame.
    case frame(FrameError)
    /// Anything before `hello`, or a second one.
    case greeting(FrameKind)
    /// `hello` whose words are not `MIN MAX NAME`, or whose name is too long.
    case badHello
    /// No common version of the protocol.
    case version(min: Int, max: Int)
    /// A kind that this side of a link never sends, or one for nexusd that names another receiver.
    case kind(FrameKind, to: PeerID)
    /// A request or an event under an id of another epoch.
    case foreignID(FrameID)
    /// A request under an id that is still open.
    case idInUse(FrameID)
    /// It read nothing for 10 s while frames for it were refused, or left too much of nexusd's own words unread.
    case takesNothing
}

extension LinkFault: CustomStringConvertible {
    /// A sentence for logs and for the peer: what was wrong; what to do.
    public var description: String {
        remedy.map { "\(fault); \($0)" } ?? fault
    }

    private var fault: String {
        switch self {
        case .frame(let error): error.description
        case .greeting(let kind): "hello comes first and once, not \(kind)"
        case .badHello: "hello's words are: lowest version, highest version, own name (at most 64 bytes) or -"
        case .version(let min, let max):
            "it speaks versions \(min) to \(max) of the bus, this nexusd speaks \(FrameHeader.version)"
        case .kind(let kind, let peer): "a \(kind) frame to peer \(peer.rawValue) makes no sense from here"
        case .foreignID(let id): "id \(id) does not belong to this link's epoch"
        case .idInUse(let id): "id \(id) belongs to a request that is still open"
        case .takesNothing: "it does not read its link"
        }
    }

    /// For whoever wrote the peer; nil where the fault says by itself what was to be sent.
    private var remedy: String? {
        switch self {
        case .frame(.version), .version: "build it for that one"
        case .frame(.kind): "send those of docs/bus-protocol.md"
        case .frame(.length): "say it in several, or as a stream"
        case .greeting, .badHello: nil
        case .kind: "docs/bus-protocol.md has who sends what to whom"
        case .foreignID: "count within the epoch of this link's `welcome`"
        case .idInUse: "take a new one for each request"
        case .takesNothing: "it has to read while it works"
        }
    }

    /// True for a peer that is stuck rather than wrong: its run ends with cause `probe`, not `crash`.
    public var isStall: Bool { self == .takesNothing }

    /// An `error` frame with id 0 that the shell may try to write as the last word.
    public var lastWord: [UInt8] {
        Frame(.error, peer: .nexusd, id: .none, payload: BusErrorCode.badRequest.payload(description)).bytes
    }
}
