import Chat

/// Where a browser that is let in finds the page: an address that is in force now, not one that might be.
struct PairingPlace: Hashable, Sendable {
    /// By which way a browser gets there.
    enum Way: String, Encodable, Sendable {
        /// Through the tunnel, which stands.
        case tunnel
        /// `[chat] url`, to which a proxy of the owner's leads.
        case url
        /// An address of this machine's that others at home reach.
        case network
        /// By a browser on this machine alone.
        case here
    }

    var way: Way
    /// Without anything behind the name and the port.
    var url: String
    /// False: of a quick tunnel, another one after each start of cloudflared.
    var lasts = true
    /// What our own looks find there in place of the page, or that others may not get there; visitors may come by it all the same.
    var doubt: String?

    /// For a phone; refused, with each remedy in a line of its own, while there is none.
    /// - Parameter tunnel: nil: nobody here looks after one, or he does not answer.
    static func forPhone(
        _ settings: WebSettings, port: Int, _ names: MachineNames, tunnel: TunnelSight?
    ) throws(ChatError) -> PairingPlace {
        if let tunnel, tunnel.isWanted {
            // By what is in force: `[chat] url` may name another, to which nothing leads.
            if tunnel.leads, let url = tunnel.url {
                return PairingPlace(way: .tunnel, url: url, lasts: tunnel.url_lasts, doubt: tunnel.url_doubt)
            }
        } else if let url = settings.publicURL, tunnel?.ownsURL != true {
            return PairingPlace(way: .url, url: url)
        }
        if settings.certificate != nil, names.reachable != nil {
            let url = settings.nearURL(port: port, names)
            return PairingPlace(way: .network, url: url, doubt: names.isContainer ? inContainer(port) : nil)
        }
        throw refusal(settings, port, tunnel)
    }

    private static func inContainer(_ port: Int) -> String {
        "it is this container's own, which may be known to the machine around it alone; where its port is published there, name "
            + "that machine as others reach it: url = \"https://192.0.2.7:\(port)\" in [chat]"
    }

    /// For a browser on this machine.
    static func here(_ settings: WebSettings, port: Int) -> PairingPlace {
        let address = Address(settings.host)
        // A server on one address of the network has no other.
        let host = address.map { $0.isAny || $0.isLoopback ? "localhost" : $0.inURL } ?? "localhost"
        return PairingPlace(way: .here, url: settings.nearURL(port: port, host: host))
    }

    private static func refusal(_ settings: WebSettings, _ port: Int, _ tunnel: TunnelSight?) -> ChatError {
        let isForOthers = Address(settings.host)?.isLoopback == false
        let near = isForOthers ? "this machine has no address that others reach" : "the page is for this machine alone"
        var remedies: [String] = []
        let why: String
        switch tunnel {
        case nil: why = near
        case let tunnel? where !tunnel.isWanted:
            why = "the tunnel is off, and \(near)"
            remedies.append("from anywhere: \(tunnel.remedy), then nexusctl pair")
        case let tunnel?:
            // Without an address no rule leads a name here either.
            let isLedAway = tunnel.stands
            why = "the tunnel does not \(isLedAway ? "lead here" : "stand") (\(tunnel.words)), and \(near)"
            let when = isLedAway ? "does" : "stands"
            remedies.append("from anywhere: nexusctl pair again when it \(when); nexusctl tunnel says how it is")
        }
        if !isForOthers {
            remedies.append(
                "at home: listen = \"0.0.0.0:\(settings.port)\" and certificate = \"self-made\" in [chat], then nexusctl reload"
            )
        }
        if tunnel == nil { remedies.append("by a proxy of your own, with TLS: its address as [chat] url") }
        remedies.append("for a browser on this machine: nexusctl pair --here")
        if !isForOthers {
            remedies.append(
                "for one on another computer: ssh -L \(port):127.0.0.1:\(port) HOST there, nexusctl pair --here here")
        }
        return ChatError(
            .failed, (["there is no address that a phone can reach: \(why)"] + remedies).joined(separator: "\n"))
    }
}
