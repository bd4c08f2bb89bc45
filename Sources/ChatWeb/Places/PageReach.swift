/// What a status line says of where browsers find the page.
struct PageReach: Hashable, Sendable {
    /// Who looks after a tunnel, and what he said.
    enum Tunnel: Hashable, Sendable {
        /// Somebody does, and has not said yet how it is.
        case unknown
        /// Nobody does.
        case none
        case told(TunnelSight)
    }

    let settings: WebSettings
    var tunnel = Tunnel.unknown

    /// What was told last, of a tunnel that nobody says anything of now; nil: nothing was told.
    var unanswered: TunnelSight? {
        guard case .told(let sight) = tunnel else { return nil }
        return sight.unmeasured("tunnel-worker does not say how it is; nexusctl status")
    }

    /// The address that is in force, and that of `[chat] url` only as what it is: a name that is wanted may lead nowhere.
    func words(port: Int, _ names: MachineNames) -> String {
        let near = settings.nearURL(port: port, names)
        let sight: TunnelSight?
        switch tunnel {
        case .unknown: return near
        case .none: sight = nil
        case .told(let told): sight = told
        }
        let place = try? PairingPlace.forPhone(settings, port: port, names, tunnel: sight)
        let here = place?.url ?? near
        guard let name = settings.publicURL, name != here, let sight else { return here }
        return "\(here); \(Self.why(name, sight))"
    }

    private static func why(_ name: String, _ sight: TunnelSight) -> String {
        if !sight.isWanted { return "\(name) leads here by the tunnel, which is off (\(sight.remedy))" }
        return sight.url == name
            ? "\(name) does not lead here now (nexusctl tunnel)" : "\(name) was not taken (nexusctl tunnel says why)"
    }
}
