/// One HTTP request to somebody outside, with its bounds.
public struct OutgoingCall: Sendable {
    /// `https://…`; `http://…` only where it is not `httpsOnly`.
    public var url: String
    /// Header lines beside those that libcurl makes.
    public var headers: [(name: String, value: String)]
    /// The body of a POST; nil: a GET.
    public var body: [UInt8]?
    /// Where the connection goes to.
    public var way: OutgoingWay
    /// From the start to the last byte of the answer.
    public var limit: Duration
    /// Bytes of an answer that are kept; a longer one fails.
    public var answerLimit: Int
    /// Whom it may reach.
    public var reach: AddressReach
    /// On 127.0.0.1: whose the other end has to be, by the kernel's word; nil: anybody's.
    public var owners: Set<UInt32>?
    /// No plain HTTP.
    public var httpsOnly: Bool
    /// The header of the answer whose value is wanted too.
    public var keeping: String?

    /// A POST, or a GET without a body.
    public init(
        _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil,
        way: OutgoingWay = .asTheURLSays, limit: Duration = .seconds(15), answerLimit: Int = 65_536,
        reach: AddressReach, owners: Set<UInt32>? = nil, httpsOnly: Bool, keeping: String? = nil
    ) {
        self.url = url
        self.headers = headers
        self.body = body
        self.way = way
        self.limit = limit
        self.answerLimit = answerLimit
        self.reach = reach
        self.owners = owners
        self.httpsOnly = httpsOnly
        self.keeping = keeping
    }
}

/// Where a call's connection goes to. The request, its `Host` and the name in TLS are the URL's in any case.
public enum OutgoingWay: Hashable, Sendable {
    /// The URL's host and port.
    case asTheURLSays
    /// A unix socket, by its path. It is no public address: it needs `AddressReach.anywhere`.
    case socket(String)
    /// `HOST:PORT`, whose address is held against the call's reach as the URL's would be.
    case through(String)
}

/// What came back; redirects are not followed, so they come back too.
public struct OutgoingAnswer: Hashable, Sendable {
    /// The status.
    public var status: Int
    /// `Retry-After` in seconds, where it is a number.
    public var retryAfter: Int?
    /// The value of the header that the call keeps, in lower case.
    public var kept: String?
    /// The body.
    public var body: [UInt8]
    /// The body as text.
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// All fields.
    public init(status: Int, retryAfter: Int? = nil, body: [UInt8] = []) {
        self.status = status
        self.retryAfter = retryAfter
        self.body = body
    }
}

/// Why nothing came back. The words name no address beyond its host: paths and tokens are secrets.
public enum OutgoingFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// No way there, nobody there, TLS that is not trusted, no whole answer.
    case unreachable(String)
    /// The address is one that this call may not reach.
    case forbiddenAddress(String)
    /// What listens there is somebody else's; nil: the kernel does not say whose. Nothing was said to him.
    case foreignListener(port: UInt16, uid: UInt32?)
    /// Not within the call's limit.
    case timedOut(Duration)
    /// The answer is longer than the call's limit.
    case tooLong(Int)
    /// No URL, or another protocol.
    case badURL
    /// The task was cancelled.
    case cancelled

    /// For people.
    public var description: String {
        switch self {
        case .unreachable(let why): why
        case .forbiddenAddress(let address):
            "\(address) is an address of this machine or of its local networks, and is not called"
        case .foreignListener(let port, let uid):
            "what listens on 127.0.0.1:\(port) is \(uid.map { "uid \($0)'s" } ?? "nobody's that the kernel names")"
        case .timedOut(let limit): "no whole answer within \(limit)"
        case .tooLong(let bytes): "the answer is longer than \(bytes) bytes"
        case .badURL: "not an address that can be called"
        case .cancelled: "called off"
        }
    }
}
