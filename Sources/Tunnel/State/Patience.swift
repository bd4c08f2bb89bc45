/// How long the tunnel may be in a bad way before something is done about it.
public struct Patience: Hashable, Sendable {
    /// No connection stands though some did: a fresh start connects in a second, cloudflared's own waits reach 40 s.
    public var stuck: Duration = .seconds(60)
    /// The same, counted from the return of the default route.
    public var stuckAfterReturn: Duration = .seconds(20)
    /// The same, counted from when a connection of our own got to the edge after that: over QUIC cloudflared is back in 2 s.
    public var unconnectedAfterReturn: Duration = .seconds(3)
    /// UDP seems blocked: cloudflared itself would try for 53 s and more.
    public var blockedUDP: Duration = .seconds(30)
    /// Refused over http2, and no reason came.
    public var reason: Duration = .seconds(20)
    /// Refused credentials are tried again after this: the owner may have mended them at Cloudflare.
    public var refused: Duration = .seconds(900)
    /// Nothing answers beyond the router, and it gave up: tried all the same after this, for a firewall may be the reason.
    public var uplink: Duration = .seconds(300)
    /// Names are not resolved, and it gave up for that: tried again after this, each time twice as long.
    public var names: Duration = .seconds(5)
    /// At most; also where our own look finds that names are resolved, for cloudflared asks for other records than we do.
    public var namesLimit: Duration = .seconds(60)
    /// Some of its connections stand, and not all since it was started: no longer than this is that a part of the start (the last
    /// of them come within 20 s: cloudflared.md, section 7).
    public var whole: Duration = .seconds(20)
    /// Why it was started anew is said for so long.
    public var told: Duration = .seconds(600)
    /// The chat or the agent stood open, and nobody answers there any more: one that is started anew may stand as open as before,
    /// one that stays away for so long lets nobody in.
    public var unseenDoor: Duration = .seconds(30)
    /// What was started by its name though it is not wanted finds nothing to start, and has so long to say that and end.
    public var stray: Duration = .seconds(2)
    /// A change that came through the tunnel is undone after this, unless it is kept.
    public var trial: Duration = .seconds(60)
    /// Looks through the public address that fail in a row before a tunnel that calls itself connected is restarted.
    public var outsideMisses = 3
    /// Looks at rules that cannot be read, in a row, before the tunnel is stopped.
    public var unreadRules = 5
    /// Looks at the chat's socket that fail in a row before chat-bridge is started anew.
    public var originMisses = 3
    /// Between two such starts.
    public var betweenMends: Duration = .seconds(600)

    /// As it is for owners.
    public init() {}

    /// All times divided by this, for tests.
    public init(hastenedBy factor: Int) {
        let factor = max(1, factor)
        stuck /= factor
        stuckAfterReturn /= factor
        unconnectedAfterReturn /= factor
        blockedUDP /= factor
        reason /= factor
        names /= factor
        namesLimit /= factor
        whole /= factor
        unseenDoor /= factor
        betweenMends /= factor
        trial /= factor
    }
}
