import Chat
import HTTPTypes
import Synchronization

/// One connection: through which entrance, and who uses it now.
final class Connection: Sendable {
    /// The address of somebody about whom cloudflared says nothing.
    static let unknown = "unknown"

    private struct User {
        var address: String
        var isDevice = false
    }
    private struct Presence {
        var isGone = false
        var watcher: AsyncStream<Never>.Continuation?
    }

    private let number: Int
    let entrance: Entrance
    /// The address here to which it came, and its port.
    let local: String
    let port: Int
    private let all: Connections
    private let user: Mutex<User>
    private let presence = Mutex(Presence())

    init(number: Int, entrance: Entrance, remote: String, local: String, port: Int, all: Connections) {
        self.number = number
        self.entrance = entrance
        self.local = local
        self.port = port
        self.all = all
        user = Mutex(User(address: remote))
    }

    /// Where whoever uses it comes from.
    var address: String { user.withLock { $0.address } }

    /// Whether it is a device's that showed its token.
    var isDevices: Bool { user.withLock { $0.isDevice } }

    /// A request begins. Through the tunnel each is somebody else's.
    func begin(_ request: HTTPRequest) {
        guard entrance == .tunnel else { return }
        let address = Forwarding(request.headerFields).address ?? Self.unknown
        user.withLock { $0 = User(address: address) }
        all.use(number, by: address)
    }

    /// Its answer is over.
    func end() {
        guard entrance == .tunnel else { return }
        user.withLock { $0 = User(address: Self.unknown) }
        all.use(number, by: nil as String?)
    }

    /// Nothing more comes by it: whoever used it has left.
    func leave() {
        let watcher = presence.withLock { presence in
            presence.isGone = true
            return presence.watcher
        }
        watcher?.finish()
    }

    /// Ends when whoever uses it has left. Asked for by one answer after the other.
    func departure() -> AsyncStream<Never> {
        let (stream, end) = AsyncStream<Never>.makeStream()
        let isGone = presence.withLock { presence in
            // That of the answer before is over.
            presence.watcher = end
            return presence.isGone
        }
        if isGone { end.finish() }
        return stream
    }

    /// The request that it is at is that device's.
    func belongs(to device: DeviceID) {
        user.withLock { $0.isDevice = true }
        all.use(number, by: device)
    }
}

/// What cloudflared says about the request that it brings (reference: Cloudflare's HTTP headers). Only to be asked about
/// requests from its own socket: everybody can write these headers.
struct Forwarding: Hashable, Sendable {
    /// The visitor's address: Cloudflare's own word for it, which a visitor cannot set; else the last hop's.
    let address: String?
    /// The visitor came to Cloudflare without TLS.
    let isPlain: Bool

    init(_ fields: HTTPFields) {
        let own = fields[values: .connectingAddress]
        let hops = fields[values: .forwardedFor].flatMap { $0.split(separator: ",") }.map(String.init)
        let word = own.isEmpty ? hops.last : own.count == 1 ? own[0] : nil
        address = word.flatMap { Address(String($0.drop { $0 == " " }.prefix { $0 != " " }))?.text }
        isPlain = fields[values: .forwardedProtocol].contains { $0.lowercased() == "http" }
    }
}

extension HTTPField.Name {
    fileprivate static let connectingAddress = HTTPField.Name("CF-Connecting-IP").unsafelyNamed
    fileprivate static let forwardedFor = HTTPField.Name("X-Forwarded-For").unsafelyNamed
    fileprivate static let forwardedProtocol = HTTPField.Name("X-Forwarded-Proto").unsafelyNamed
}
