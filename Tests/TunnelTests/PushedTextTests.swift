import Foundation
import Glibc
import Testing

@testable import Tunnel

/// What a dashboard pushes, and what stands on the metrics port: any text, of any length.
@Suite(.timeLimit(.minutes(1))) struct PushedTextTests {
    private let end = IngressRules.Rule(service: "http_status:404")

    private func excess(_ rules: [IngressRules.Rule]) -> String? {
        IngressRules(version: 1, rules: rules).excess(chatSocket: "/run/chat.sock")
    }

    /// Some of the page is reached by it, and that is said.
    @Test func rulesForAPartOfTheChat_areToldWithTheirPath() {
        let (socket, service) = ("/run/chat.sock", "unix:/run/chat.sock")
        let rules = IngressRules(
            version: 1,
            rules: [
                .init(hostname: "chat.example.com", path: "^/api/", service: service),
                .init(hostname: "shut.example.com", service: "http_status:404"),
                .init(hostname: "shut.example.com", path: "^/api/", service: service),
                .init(hostname: "most.example.com", path: "^/$", service: "http_status:404"),
                .init(hostname: "most.example.com", service: service), .init(hostname: "b.invalid", service: service),
                .init(path: "^/zzz" + String(repeating: "z", count: 66_000), service: service), end,
            ])
        let parts = rules.parts(chatSocket: socket)
        #expect(
            parts.prefix(2) == ["chat.example.com (paths with ^/api/)", "most.example.com (some paths)"]
                && parts.count == 3 && parts[2].hasPrefix("* (paths with ^/zzz") && parts[2].utf8.count < 200,
            "\(parts)")
    }

    /// Whatever a dashboard pushes, the words are a line.
    @Test func textsOfARule_areCut() throws {
        let long = String(repeating: "x", count: 66_000) + "\n"
        for rule in [
            IngressRules.Rule(hostname: long, service: "ssh://a"),
            .init(hostname: "a.invalid", path: long, service: "b"),
            .init(hostname: "a\u{1B}[2J", service: "http://" + long),
        ] {
            let words = try #require(excess([rule, end]))
            #expect(words.utf8.count < 500 && !words.contains("\u{1B}"), "\(words)")
        }
        let names = IngressRules(
            version: 1, rules: [.init(hostname: "*." + long, service: "unix:/run/chat.sock"), end])
        #expect(names.patterns(chatSocket: "/run/chat.sock").allSatisfy { $0.utf8.count < 500 })
        #expect(TunnelHalt.exposure(long).bounded.bounded == TunnelHalt.exposure(long).bounded)
    }

    /// As many as are looked at: each of their names is looked for, and nobody waits for that.
    @Test func thousandRules_areLookedAtInTime() {
        let service = "unix:/run/chat.sock"
        let rules = IngressRules(
            version: 1,
            rules: (0..<999).map { .init(hostname: "n\($0).example.com", path: "^/", service: service) } + [end])
        let began = ContinuousClock.now
        for _ in 0..<10 { #expect(rules.hostnames(chatSocket: "/run/chat.sock").count == 999) }
        #expect(rules.patterns(chatSocket: "/run/chat.sock").count == 999)
        let took = ContinuousClock.now - began
        #expect(took < .seconds(3), "\(took)")
    }

    /// cloudflared takes both as they are pushed, for a rule or for all of them.
    @Test(
        arguments: [
            ("{}", "{}", nil),
            (#"{"httpHostHeader":"a","noTLSVerify":true,"access":{"required":true},"proxyType":""}"#, "{}", nil),
            (#"{"bastionMode":true}"#, "{}", "originRequest of rule 1 sets bastionMode"),
            (#"{"proxyType":"socks"}"#, "{}", "originRequest of rule 1 sets proxyType"),
            (
                "{}", #"{"bastionMode":true,"proxyType":"socks"}"#,
                "originRequest of all rules sets bastionMode, proxyType"
            ),
        ] as [(String, String, String?)])
    func proxyToAnywhere_countsAsExposure(_ own: String, _ all: String, _ words: String?) throws {
        let text = """
            {"version":3,"config":{"ingress":[{"hostname":"chat.example.com","service":"unix:/run/chat.sock","originRequest":\(own)},
            {"service":"http_status:404"}],"originRequest":\(all)}}
            """
        let rules = try JSONDecoder().decode(IngressRules.self, from: Data(text.utf8))
        let excess = rules.excess(chatSocket: "/run/chat.sock")
        #expect(
            excess.map { said in words.map { said.hasPrefix($0) } == true } ?? (words == nil), "\(excess ?? "nothing")")
    }

    /// It becomes an address to which people are sent.
    @Test(
        arguments: [
            ("four-words-as-one.trycloudflare.com", "four-words-as-one.trycloudflare.com"),
            ("Stand-In-1.TryCloudflare.com", "stand-in-1.trycloudflare.com"), ("user@evil.example", nil),
            ("x.trycloudflare.com/../#evil", nil), ("127.0.0.1:22", nil), ("a.b.trycloudflare.com", nil),
            (".trycloudflare.com", nil), ("trycloudflare.com", nil), ("eviltrycloudflare.com", nil),
            ("x.trycloudflare.com.evil.example", nil), (String(repeating: "a", count: 66_000), nil),
        ] as [(String, String?)]) func quickTunnelsName_isOneLabelOfThem(_ said: String, _ name: String?)
    {
        let seen = TunnelMeasurement(connections: 1, rules: nil, registered: 1, refused: 0, quickHostname: said)
        #expect(seen.quickHostname == name)
        #expect((seen.strangeHostname == nil) == (name != nil) && (seen.strangeHostname ?? "").utf8.count < 100)
    }

    /// It would say where the page is reached, in words of its own.
    @Test func metricsPortOfAnotherUser_isNotBelieved() async throws {
        let server = try PageServer(isSocket: false) { _, _ in
            PageServer.http(
                "200 OK", body: #"{"status":200,"readyConnections":4,"hostname":"another-one.trycloudflare.com"}"#)
        }
        let port = try #require(server.place.split(separator: ":").last.flatMap { UInt16($0) })
        #expect(await MetricsPort(port: port).measure()?.quickHostname == "another-one.trycloudflare.com")
        let before = server.heads.count
        #expect(await MetricsPort(port: port, owners: [geteuid() + 1]).measure() == nil)
        // He sees a connection, and no word.
        #expect(server.heads.dropFirst(before).allSatisfy { $0.isEmpty }, "\(server.heads)")
    }

    @Test func numberThatCannotBe_isNoAnswerOfTheMetricsPort() async throws {
        let server = try PageServer(isSocket: false) { _, _ in
            PageServer.http("200 OK", body: #"{"status":200,"readyConnections":-5,"hostname":""}"#)
        }
        let port = try #require(server.place.split(separator: ":").last.flatMap { UInt16($0) })
        #expect(await MetricsPort(port: port).measure() == nil)
        #expect(await MetricsPort(port: port).isOpen())
        #expect(await !MetricsPort(port: try MetricsPort.free()).isOpen())
    }
}
