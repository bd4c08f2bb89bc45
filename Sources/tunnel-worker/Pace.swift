import Tunnel

/// How often is looked, and where the public address is asked.
struct Pace: Sendable {
    /// Between two looks at cloudflared.
    var look: Duration = .seconds(1)
    /// Looks between two at the chat and the agent, and between two through the public address.
    var door = 5
    var outside = 30
    /// Looks between two at settings that were refused, and at the program's file.
    var settings = 30
    var patience = Patience()
    /// `HOST:PORT` that stands for Cloudflare's edge, spoken to without TLS: for tests.
    var edge: String?
    /// Where it is looked whether Cloudflare answers; empty: nowhere.
    var uplink = UplinkLook.places

    /// `NEXUS_TUNNEL_HASTE=N` divides all times, `NEXUS_TUNNEL_EDGE` is `edge`, `NEXUS_TUNNEL_UPLINK` the one place of `uplink`,
    /// `NEXUS_TUNNEL_OUTSIDE` is `outside`; all are for tests.
    init(environment: [String: String]) {
        edge = environment["NEXUS_TUNNEL_EDGE"]
        let place = environment["NEXUS_TUNNEL_UPLINK"]
        if edge != nil || place != nil { uplink = place.map { [$0] } ?? [] }
        guard let haste = environment["NEXUS_TUNNEL_HASTE"].flatMap({ Int($0) }) else { return }
        patience = Patience(hastenedBy: haste)
        look = max(.milliseconds(100), look / max(1, haste))
        (door, outside, settings) = (2, 3, 10)
        if let looks = environment["NEXUS_TUNNEL_OUTSIDE"].flatMap({ Int($0) }) { outside = max(1, looks) }
    }
}
