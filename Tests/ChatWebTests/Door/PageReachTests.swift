import Chat
import Testing

@testable import ChatWeb

/// A name is said to lead here only while it does.
@Suite(.timeLimit(.minutes(1))) struct PageReachTests {
    private static let name = "https://chat.example.invalid"
    private static let near = "http://localhost:4780"

    private func words(_ tunnel: PageReach.Tunnel, url: String? = Self.name) throws -> String {
        let settings = try #require(try WebSettings(listen: "127.0.0.1:4780", url: url))
        return PageReach(settings: settings, tunnel: tunnel).words(
            port: 4780, MachineNames(own: "box", addresses: []))
    }

    private func told(
        _ mode: String, _ state: String, url: String? = Self.name, whenOn: String? = nil, leads: Bool? = nil,
        file: String? = nil
    ) -> PageReach.Tunnel {
        .told(
            TunnelSight(
                mode: mode, mode_when_on: whenOn ?? mode, mode_of_file: file, state: state, words: state, url: url,
                url_lasts: true,
                url_leads: leads))
    }

    @Test func nameThatLeadsHere_isWhereThePageIs() throws {
        #expect(try words(told("named", "connected", leads: true)) == Self.name)
        // Of a proxy of the owner's: no tunnel of ours has a say.
        #expect(try words(.none) == Self.name)
        #expect(try words(told("off", "off", url: nil)) == Self.name)
        let quick = "https://four-words.trycloudflare.com"
        #expect(try words(told("quick", "connected", url: quick, leads: true), url: nil) == quick)
    }

    @Test func nameThatDoesNot_isSaidAsWhatItIs() throws {
        #expect(
            try words(told("off", "off", whenOn: "named"))
                == "\(Self.near); \(Self.name) leads here by the tunnel, which is off (nexusctl tunnel start)")
        // Off by `nexusctl tunnel mode off`: what a start would take is off too, and the name is the tunnel's all the same.
        #expect(
            try words(told("off", "off", file: "named"))
                == "\(Self.near); \(Self.name) leads here by the tunnel, which is off (nexusctl tunnel mode file)")
        for state in ["starting", "reconnecting", "crashed", "no network", "settings refused"] {
            #expect(
                try words(told("named", state, leads: false))
                    == "\(Self.near); \(Self.name) does not lead here now (nexusctl tunnel)")
        }
        // No rule in force leads the name here.
        #expect(
            try words(told("token", "connected", leads: false)).hasSuffix("does not lead here now (nexusctl tunnel)"))
        // Refused while something older goes on.
        let other = "https://old.example.invalid"
        #expect(
            try words(told("named", "connected", url: other, leads: true))
                == "\(other); \(Self.name) was not taken (nexusctl tunnel says why)")
    }

    @Test func untilSomebodySaysHowTheTunnelIs_onlyWhatIsCertainIsSaid() throws {
        #expect(try words(.unknown) == Self.near)
        #expect(try words(.unknown, url: nil) == Self.near)
        #expect(try words(told("off", "off", url: nil), url: nil) == Self.near)
    }
}
