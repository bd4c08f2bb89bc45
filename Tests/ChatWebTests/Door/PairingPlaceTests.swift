import Chat
import Testing

@testable import ChatWeb

@Suite(.timeLimit(.minutes(1))) struct PairingPlaceTests {
    private let names = MachineNames(own: "box", addresses: ["192.0.2.5", "127.0.0.1"].compactMap { Address($0) })
    private let name = "https://chat.example.invalid"

    private func settings(
        _ listen: String = "127.0.0.1:4780", url: String? = nil, isSecure: Bool = false
    ) throws -> WebSettings {
        try #require(try WebSettings(listen: listen, url: url, certificate: isSecure ? "self-made" : nil))
    }

    private func sight(
        _ mode: String, _ state: String, url: String? = nil, whenOn: String? = nil, file: String? = nil
    ) -> TunnelSight {
        TunnelSight(
            mode: mode, mode_when_on: whenOn ?? mode, mode_of_file: file, state: state, words: "\(state): as it is",
            url: url,
            url_lasts: mode != "quick")
    }

    private func place(_ settings: WebSettings, _ tunnel: TunnelSight?) throws -> PairingPlace {
        try PairingPlace.forPhone(settings, port: 4780, names, tunnel: tunnel)
    }

    private func refusal(_ settings: WebSettings, _ tunnel: TunnelSight?) -> String {
        #expect(throws: ChatError.self) { try place(settings, tunnel) }
        do { return "\(try place(settings, tunnel))" } catch { return (error as? ChatError)?.message ?? "\(error)" }
    }

    /// As `tunnel setup` leaves the file, and commands that chose the tunnel and then none.
    @Test func addressOfATunnelThatOnlyCommandsChoose_isNoProxys() throws {
        var off = sight("off", "off", file: "off")
        #expect(try place(settings(url: name), off).way == .url)
        off.owns_url = true
        #expect(refusal(try settings(url: name), off).contains("the tunnel is off"))
    }

    @Test func tunnelThatStands_isTheWay_whateverElseThereIs() throws {
        let home = try settings("0.0.0.0:4780", isSecure: true)
        let quick = "https://four-words.trycloudflare.com"
        #expect(
            try place(home, sight("quick", "connected", url: quick))
                == PairingPlace(way: .tunnel, url: quick, lasts: false))
        for state in ["connected", "degraded", "origin down"] {
            #expect(try place(settings(), sight("token", state, url: name)) == PairingPlace(way: .tunnel, url: name))
        }
        // By the name of what is in force, whatever the settings of now say.
        let other = try settings(url: "https://other.example.invalid")
        #expect(try place(other, sight("named", "connected", url: name)).url == name)
    }

    /// One connection is enough for who comes, also while the others are on their way.
    @Test func tunnelThatStarts_isTheWayAsSoonAsItLeadsHere() throws {
        var part = sight("named", "starting", url: name)
        for (leads, isWay) in [(true, true), (false, false)] {
            part.url_leads = leads
            #expect((try? place(settings(), part))?.way == (isWay ? .tunnel : nil))
        }
    }

    /// Visitors may come by it all the same.
    @Test func addressInDoubt_isTheWay_withWhatSpeaksAgainstIt() throws {
        var doubted = sight("named", "connected", url: name)
        doubted.url_doubt = "no look got the page there"
        #expect(
            try place(settings(), doubted)
                == PairingPlace(way: .tunnel, url: name, doubt: "no look got the page there"))
        #expect(doubted.unmeasured("away").url_doubt == nil)
    }

    @Test func tunnelThatDoesNotStand_isNoWay() throws {
        let home = try settings("0.0.0.0:4780", url: name, isSecure: true)
        for state in [
            "starting", "reconnecting", "no network", "waiting for configuration", "crashed", "stopped",
            "settings refused", "credentials refused", "exposes more than the chat",
        ] {
            let tunnel = sight("named", state, url: name)
            #expect(try place(home, tunnel) == PairingPlace(way: .network, url: "https://192.0.2.5:4780"), "\(state)")
            let words = refusal(try settings(url: name), tunnel)
            #expect(words.contains("the tunnel does not stand (\(state): as it is)"), "\(words)")
            #expect(words.contains("\nfrom anywhere: nexusctl pair again when it stands"), "\(words)")
        }
        // Connected, and no rule leads to the chat: there is no address.
        #expect(refusal(try settings(), sight("token", "connected")).contains("the tunnel does not lead here"))
    }

    /// What was measured by somebody who is gone is nothing that leads here.
    @Test func tunnelThatNobodyMeasures_isNoWay() throws {
        let stood = sight("named", "connected", url: name)
        #expect(try place(settings(url: name), stood).url == name)
        let gone = stood.unmeasured("tunnel-worker is off: stopped by command; nexusctl start tunnel-worker")
        let words = refusal(try settings(url: name), gone)
        #expect(
            words.contains("the tunnel does not stand (tunnel-worker is off: stopped by command; nexusctl start"),
            "\(words)")
        #expect(gone.unmeasured("later") == gone)
        let reach = PageReach(settings: try settings(url: name), tunnel: .told(stood))
        #expect(refusal(try settings(url: name), reach.unanswered).contains("tunnel-worker does not say how it is"))
        #expect(PageReach(settings: try settings(url: name), tunnel: .unknown).unanswered == nil)
        // Of one that is off nothing is measured: a proxy's name is the proxy's.
        #expect(try place(settings(url: name), sight("off", "off").unmeasured("x")).way == .url)
    }

    @Test func tunnelThatIsOff_leavesTheProxyOrTheNetwork() throws {
        let off = sight("off", "off")
        #expect(try place(settings(url: name), off) == PairingPlace(way: .url, url: name))
        #expect(try place(settings(url: name), nil) == PairingPlace(way: .url, url: name))
        #expect(try place(settings("192.0.2.5:4780", isSecure: true), off).url == "https://192.0.2.5:4780")
        // The name leads through the tunnel, which is off.
        for mode in ["named", "token"] {
            let words = refusal(try settings(url: name), sight("off", "off", whenOn: mode))
            #expect(words.contains("the tunnel is off"), "\(words)")
            #expect(words.contains("\nfrom anywhere: nexusctl tunnel start, then nexusctl pair"), "\(words)")
            let byMode = refusal(try settings(url: name), sight("off", "off", file: mode))
            #expect(byMode.contains("\nfrom anywhere: nexusctl tunnel mode file, then nexusctl pair"), "\(byMode)")
        }
    }

    @Test func addressOfAContainer_isGivenWithADoubt() throws {
        let settings = try settings("0.0.0.0:4780", isSecure: true)
        let inContainer = MachineNames(own: "box", addresses: names.addresses, isContainer: true)
        let place = try PairingPlace.forPhone(settings, port: 4780, inContainer, tunnel: nil)
        #expect(place.url == "https://192.0.2.5:4780" && place.doubt?.contains("in [chat]") == true)
        #expect(try PairingPlace.forPhone(settings, port: 4780, names, tunnel: nil).doubt == nil)
    }

    @Test func nothingThatAPhoneReaches_isRefusedWithEachRemedy() throws {
        let words = refusal(try settings(), sight("off", "off")).split(separator: "\n").map(String.init)
        #expect(
            words[0]
                == "there is no address that a phone can reach: the tunnel is off, and the page is for this machine alone"
        )
        #expect(
            words.dropFirst().map { $0.prefix { $0 != ":" } } == [
                "from anywhere", "at home", "for a browser on this machine", "for one on another computer",
            ])
        #expect(words[1].contains("nexusctl tunnel setup"))
        #expect(refusal(try settings(), nil).contains("\nby a proxy of your own, with TLS: its address as [chat] url"))
        let alone = MachineNames(own: "box", addresses: ["127.0.0.1"].compactMap { Address($0) })
        #expect(throws: ChatError.self) {
            try PairingPlace.forPhone(settings("0.0.0.0:4780", isSecure: true), port: 4780, alone, tunnel: nil)
        }
    }

    @Test func browserOnThisMachine_isBroughtWhereThePageListens() throws {
        func here(_ listen: String, isSecure: Bool = true) throws -> String {
            PairingPlace.here(try settings(listen, url: name, isSecure: isSecure), port: 4780).url
        }
        #expect(try here("127.0.0.1:4780", isSecure: false) == "http://localhost:4780")
        #expect(try here("0.0.0.0:4780") == "https://localhost:4780")
        #expect(try here("[::]:4780") == "https://localhost:4780")
        #expect(try here("192.0.2.5:4780") == "https://192.0.2.5:4780")
    }
}
