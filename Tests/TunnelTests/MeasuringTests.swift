import Foundation
import Testing

@testable import Tunnel

@Suite(.timeLimit(.minutes(1)))
struct MeasuringTests {
    private let chat = IngressRules.Rule(hostname: "chat.example.com", service: "unix:/run/chat.sock")
    private let end = IngressRules.Rule(service: "http_status:404")

    private func excess(_ rules: [IngressRules.Rule]) -> String? {
        IngressRules(version: 1, rules: rules).excess(chatSocket: "/run/chat.sock")
    }

    @Test func chatAndNothing_isAllThereMayBe() {
        #expect(excess([chat, end]) == nil)
        #expect(excess([.init(service: "http_status:503")]) == nil)
    }

    @Test func anotherService_isNamedWithItsRule() throws {
        let words = try #require(excess([chat, .init(hostname: "x.example", service: "http://127.0.0.1:4096"), end]))
        #expect(words.contains("rule 2 leads x.example to http://127.0.0.1:4096"))
        #expect(excess([.init(service: "unix:/run/other.sock"), end]) != nil)
        #expect(excess([.init(service: "hello_world"), end]) != nil)
    }

    @Test func namesThatCannotBeGoneTo_areNoAddress() {
        let names = [
            "*.example.invalid", String(repeating: "a", count: 64) + ".invalid", "a..b", "x y", "chat.example.invalid",
        ]
        let service = "unix:/run/chat.sock"
        let rules = IngressRules(version: 1, rules: names.map { .init(hostname: $0, service: service) } + [end])
        #expect(rules.hostnames(chatSocket: "/run/chat.sock") == ["chat.example.invalid"])
        // People come by the pattern all the same: it is said who can reach the page.
        #expect(rules.patterns(chatSocket: "/run/chat.sock").prefix(1) == ["*.example.invalid"])
        let shadowed = IngressRules(
            version: 1,
            rules: [
                .init(hostname: "*.example.invalid", service: "http_status:404"),
                .init(hostname: "chat.example.invalid", service: service),
                .init(hostname: "b.invalid", service: service),
                .init(hostname: "b.invalid", path: "^/", service: service), .init(path: "^/", service: service), end,
            ])
        #expect(shadowed.patterns(chatSocket: "/run/chat.sock") == ["b.invalid", "*"])
        #expect(rules.leadsToChat("/run/chat.sock"))
        #expect(!IngressRules(version: 1, rules: [end]).leadsToChat("/run/chat.sock"))
    }

    /// As cloudflared takes them: the first rule that is for name and path.
    @Test func nameLeadsToTheChat_byTheFirstRuleThatIsForIt() {
        let service = "unix:/run/chat.sock"
        func leads(_ rules: [IngressRules.Rule]) -> Bool {
            IngressRules(version: 1, rules: rules + [end]).lead("chat.example.com", to: "/run/chat.sock")
        }
        #expect(leads([chat]) && leads([.init(hostname: "CHAT.example.com", service: service)]))
        #expect(leads([.init(hostname: "*.example.com", service: service)]))
        #expect(leads([.init(hostname: "chat.example.com", path: "", service: service)]))
        #expect(leads([.init(hostname: "chat.example.com", path: "^/", service: service)]))
        #expect(leads([.init(hostname: "chat.example.com", path: "^/closed", service: "http_status:404"), chat]))
        #expect(!leads([]) && !leads([.init(hostname: "other.example.com", service: service)]))
        #expect(!leads([.init(hostname: "chat.example.com", path: "/zzz", service: service)]))
        #expect(!leads([.init(hostname: "chat.example.com", path: "^/$", service: service)]))
        #expect(!leads([.init(hostname: "chat.example.com", path: "(", service: service)]))
        #expect(!leads([.init(hostname: "*.example.com", service: "http_status:404"), chat]))
        let byPath = IngressRules(
            version: 1, rules: [.init(hostname: "chat.example.com", path: "/zzz", service: service), end])
        #expect(byPath.hostnames(chatSocket: "/run/chat.sock").isEmpty)
    }

    /// Whatever a dashboard pushes takes its time, and no more.
    @Test func rulesWithoutEnd_areLookedAtInTime() {
        let service = "unix:/run/chat.sock"
        let deep = String(repeating: "(", count: 60) + ".*" + String(repeating: ")*", count: 60)
        for path in [#"^/((.*)*)*\d$"#, "^/" + deep + "x$", "((a{1,1000}){1,1000}){1000}"] {
            let rules = IngressRules(
                version: 1, rules: [.init(hostname: "chat.example.com", path: path, service: service), chat, end])
            #expect(rules.lead("chat.example.com", to: "/run/chat.sock"))
            #expect(rules.hostnames(chatSocket: "/run/chat.sock") == ["chat.example.com"])
        }
        let many = IngressRules(
            version: 1,
            rules: (0..<20_000).map { .init(hostname: "n\($0).example.com", service: "http_status:404") } + [chat, end])
        #expect(many.hostnames(chatSocket: "/run/chat.sock").isEmpty)
        #expect(many.excess(chatSocket: "/run/chat.sock")?.contains("no more than 1000 are looked at") == true)
    }

    /// As cloudflared compares them: in lower case, and in the form in which browsers ask.
    @Test func nameOfARule_isComparedAsItIsAskedFor() {
        let service = "unix:/run/chat.sock"
        let rules = IngressRules(
            version: 1,
            rules: [
                .init(hostname: "Chat.Example.COM", service: service),
                .init(hostname: "Müller.example", service: service),
                .init(hostname: "*.müller.example", service: service), end,
            ])
        #expect(rules.hostnames(chatSocket: "/run/chat.sock") == ["chat.example.com", "xn--mller-kva.example"])
        // Each once, beside the page's own name too.
        #expect(
            rules.patterns(chatSocket: "/run/chat.sock") == [
                "chat.example.com", "xn--mller-kva.example", "*.müller.example",
            ])
        #expect(rules.lead("chat.EXAMPLE.com", to: "/run/chat.sock"))
        #expect(!rules.lead("a.xn--mller-kva.example", to: "/run/chat.sock"))
    }

    @Test func agentCarries_onlyWhileItsWorkerIsThere_andConnected_andNobodyComplains() {
        func verdict(_ agent: String?, _ worker: String?) -> ChainCheck.Verdict {
            .agent(opencode: agent.map { Array($0.utf8) }, worker: worker.map { Array($0.utf8) })
        }
        let ready = #"{"state":"ready"}"#
        let connected = #"{"state":"ready","status":"connected to opencode 1.18.34"}"#
        #expect(verdict(ready, connected).isGood)
        for (agent, worker, words) in [
            (nil, connected, "no child opencode"), (ready, nil, "no child agent-worker"),
            (#"{"state":"delayed"}"#, connected, "opencode is delayed: nexusctl why opencode"),
            (ready, #"{"state":"off","status":"connected to opencode 1.18.34"}"#, "agent-worker is off"),
            (
                #"{"state":"ready","health":"agent-worker: it did not answer in time"}"#, connected,
                "it did not answer in time"
            ),
            (ready, #"{"state":"ready","status":"port 4096 is no opencode"}"#, "port 4096 is no opencode"),
            (ready, ready, "does not say whether"),
        ] {
            let found = verdict(agent, worker)
            #expect(!found.isGood && found.words.contains(words), "\(found)")
        }
    }

    @Test func agentCarries_onlyWhenItAnswersTheChatNow() {
        let known = ChainCheck.Verdict(true, "opencode is ready")
        func asked(_ answer: String?) -> ChainCheck.Verdict { known.agent(asked: answer.map { Array($0.utf8) }) }
        #expect(asked(#"{"good":true,"words":"agent-worker: connected"}"#).isGood)
        let hangs = asked(#"{"good":false,"words":"agent-worker does not answer for 3 s"}"#)
        #expect(!hangs.isGood && hangs.words == "agent-worker does not answer for 3 s", "\(hangs)")
        // That is the bridge's own hop.
        let silent = asked(nil)
        #expect(silent.isGood && silent.words.contains("the chat, which would ask it, does not answer"), "\(silent)")
        #expect(!asked("[]").isGood)
        // What nexusd knows to be bad no answer makes good.
        #expect(!ChainCheck.Verdict(false, "off").agent(asked: Array(#"{"good":true,"words":""}"#.utf8)).isGood)
    }

    @Test func endByNexusd_isSaidSo_withoutWhatItSaysAtItsEnd() {
        let lines = [
            "2026-11-22T11:25:30Z ERR Unable to establish connection with Cloudflare edge",
            "2026-11-22T11:25:31Z INF Initiating graceful shutdown due to signal terminated ...",
            "2026-11-22T11:25:31Z ERR Connection terminated error=\"graceful shutdown\" connIndex=0",
            "2026-11-22T11:25:31Z ERR no more connections active and exiting",
        ]
        #expect(
            EndWords(exit: "exit 0", byNexusd: "not ready within 2 min", lines: lines).words
                == "nexusd ended it (exit 0), not ready within 2 min: Unable to establish connection with Cloudflare edge"
        )
        #expect(
            EndWords(exit: "exit 0", byNexusd: "1 misses in a row, the last: exit 1", lines: []).words
                == "nexusd ended it (exit 0), 1 misses in a row, the last: exit 1")
    }

    /// As cloudflared takes it (isCatchAllRule).
    @Test func starAsNameOfTheLastRule_isForAllTheRest() {
        #expect(excess([chat, .init(hostname: "*", service: "http_status:404")]) == nil)
        #expect(
            excess([.init(hostname: "*", service: "unix:/run/chat.sock")])?.hasPrefix("the last rule leads every name")
                == true)
        #expect(excess([chat, .init(hostname: "*", path: "^/", service: "http_status:404")]) != nil)
    }

    /// An address in it is of no use without its end.
    @Test func remedyInAnEnd_isWhole_andWhatIsTooLongEndsAtAWord() {
        let refused =
            "/usr/local/bin/cloudflared is cloudflared 2024.1.1, and 2025.4.0 or newer is needed; "
            + CloudflaredProgram.installation
        #expect(EndWords(exit: "exit 78", lines: [refused]).words.hasSuffix(refused))
        #expect(EndWords(exit: "exit 78", lines: [refused]).kind == .notStarted)
        let long = EndWords(exit: "exit 2", lines: [String(repeating: "twelve bytes ", count: 100)]).words
        #expect(long.hasSuffix("twelve bytes …") && long.count < 600, "\(long)")
        #expect(EndWords(exit: "exit 2", lines: [String(repeating: "x", count: 9999)]).words.count < 600)
    }

    @Test func missingEnd_isSaid() {
        #expect(excess([chat])?.contains("http_status:404") == true)
        #expect(excess([.init(service: "unix:/run/chat.sock")])?.contains("every name") == true)
        #expect(excess([chat, .init(service: "http_status:503")])?.contains("it must be http_status:404") == true)
        #expect(excess([])?.contains("http_status:404") == true)
    }

    /// Past all rules: devices of the account reach what this machine reaches.
    @Test(
        arguments: [
            ("{}", nil), ("null", nil), (#"{"enabled":false}"#, nil),
            (#"{"enabled":true}"#, "warp-routing is set (enabled)"),
            (#"{"maxActiveFlows":10,"connectTimeout":5}"#, "warp-routing is set (connectTimeout, maxActiveFlows)"),
        ] as [(String, String?)])
    func warpRouting_countsAsExposure(_ json: String, _ words: String?) throws {
        let text = """
            {"version":3,"config":{"ingress":[{"hostname":"chat.example.com","service":"unix:/run/chat.sock"},
            {"service":"http_status:404"}],"warp-routing":\(json),"originRequest":{}}}
            """
        let rules = try JSONDecoder().decode(IngressRules.self, from: Data(text.utf8))
        let excess = rules.excess(chatSocket: "/run/chat.sock")
        #expect(
            excess.map { said in words.map { said.hasPrefix($0) } == true } ?? (words == nil), "\(excess ?? "nothing")")
    }

    /// Rules that are not understood are none that may be.
    @Test(arguments: ["7", "[]", "\"on\""]) func warpRoutingOfAnotherShape_isNotUnderstood(_ json: String) {
        let text = #"{"version":3,"config":{"ingress":[],"warp-routing":\#(json)}}"#
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(IngressRules.self, from: Data(text.utf8)) }
    }

    @Test(arguments: [
        (
            "exit 1",
            [
                "2026-11-22T11:25:30Z INF Starting tunnel", "2026-11-22T11:25:30Z ERR edge discovery: error",
                "Could not lookup srv records",
            ], "exit 1, it gave up: Could not lookup srv records"
        ),
        (
            "exit 2", ["2026-11-22T11:25:30Z ERR no free port error=x", "2026-11-22T11:25:31Z INF precheck complete"],
            "exit 2, a fault of the program's own: no free port error=x"
        ),
        ("signal 9 (KILL)", ["2026-11-22T11:25:31Z INF Registered tunnel connection"], "signal 9 (KILL)"),
        (
            "signal 9 (KILL)",
            [
                "2026-11-22T11:25:30Z ERR Unable to establish connection with Cloudflare edge",
                "2026-11-22T11:25:31Z INF Registered tunnel connection connIndex=0",
                "2026-11-22T11:25:32Z INF Updated to new configuration",
            ], "signal 9 (KILL)"
        ),
        (
            "exit 1",
            [
                "2026-11-22T11:25:30Z ERR Unable to establish connection with Cloudflare edge",
                "2026-11-22T11:25:31Z INF Registered tunnel connection connIndex=0",
                "2026-11-22T11:25:32Z ERR Serve tunnel error",
            ], "exit 1, it gave up: Serve tunnel error"
        ),
        (
            "exit 2", ["panic: nil map", "", "goroutine 1 [running]:", "main.main()"],
            "exit 2, a fault of the program's own: panic: nil map"
        ),
        (
            "exit 11", ["2026-11-22T11:25:31Z INF cloudflared has been updated version=2026.9.0"],
            "exit 11, it has put another version in its place: cloudflared has been updated version=2026.9.0"
        ),
    ]) func endOfARun_isSaidWithItsLastError(_ exit: String, _ lines: [String], _ words: String) {
        #expect(EndWords(exit: exit, lines: lines).words == words)
    }

    @Test func tooManyQuickTunnels_areSaidSo() {
        let end = EndWords(
            exit: "exit 1",
            lines: [
                "2026-11-22T11:25:31Z ERR Error unmarshaling QuickTunnel response: error code: 1015 "
                    + #"status_code="429 Too Many Requests""#,
                "failed to unmarshal quick Tunnel: invalid character 'e' looking for beginning of value",
            ])
        #expect(end.kind == .tooMany && end.words.contains("too many quick tunnels were asked for"))
    }

    @Test func whatFollowsFromAnEnd_isToldByItsExitAndItsLines() {
        #expect(
            EndWords(exit: "exit 1", lines: ["listen tcp 127.0.0.1:1: bind: address already in use"]).kind == .portTaken
        )
        #expect(EndWords(exit: "exit 1", lines: []).kind == .gaveUp)
        let names = [
            "Could not lookup srv records on _v2-origintunneld._tcp.argotunnel.com: lookup x: server misbehaving",
            #"failed to request quick Tunnel: Post "https://api.trycloudflare.com/tunnel": dial tcp: lookup x: no such host"#,
        ]
        for line in names {
            #expect(EndWords(exit: "exit 1", lines: [line]).kind == .noNames)
            #expect(EndWords(exit: "exit 2", lines: [line]).kind == .other)
        }
        #expect(EndWords(exit: "exit 2", lines: []).kind == .other)
    }

    @Test func counter_isSummedOverItsLabels_andIsNoOthers() {
        let text = """
            # HELP x
            cloudflared_tunnel_tunnel_register_fail{error="server_error",rpcName="registerConnection"} 3
            cloudflared_tunnel_tunnel_register_fail{error="dup_edge_conn",rpcName="registerConnection"} 2
            cloudflared_tunnel_tunnel_register_failures 9
            """
        #expect(MetricsPort.counter("cloudflared_tunnel_tunnel_register_fail", in: text) == 5)
        #expect(MetricsPort.counter("cloudflared_tunnel_request_errors", in: text) == 0)
    }

    @Test(arguments: [
        ("x 9.2e18\nx{a=\"1\"} 9.2e18\n", Int.max), ("x 1e400\nx 1\n", .max), ("x +Inf\n", .max), ("x NaN\nx 2\n", 2),
        ("x -5\nx 2\n", 2), ("x 1e300\n", .max),
    ]) func counterOfAnyText_isANumber(_ text: String, _ count: Int) {
        #expect(MetricsPort.counter("x", in: text) == count)
    }

    @Test func logLines_tellWhatNoNumberDoes() {
        func fact(_ text: String) -> LogTail.Fact? { LogTail.fact(Array(text.utf8)) }
        #expect(
            fact(
                #"{"connIndex":0,"error":"Unauthorized: Invalid tunnel secret","level":"error","message":"Register tunnel error from server side"}"#
            ) == .refused("Unauthorized: Invalid tunnel secret"))
        #expect(
            fact(#"{"hard_fail":false,"message":"precheck complete","suggested_protocol":"http2"}"#) == .suggestsHTTP2)
        #expect(fact(#"{"hard_fail":false,"message":"precheck complete","suggested_protocol":"quic"}"#) == nil)
        #expect(fact("Could not lookup srv records") == nil)
    }

    @Test func logTail_readsWholeLinesOnce_andFollowsANewFile() throws {
        let path = "/tmp/nexus-tail-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let line = #"{"message":"precheck complete","suggested_protocol":"http2"}"# + "\n"
        try line.write(toFile: path, atomically: false, encoding: .utf8)
        var tail = LogTail(path: path)
        #expect(tail.facts() == [])
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(line.dropLast(5).utf8))
        #expect(tail.facts() == [])
        try handle.write(contentsOf: Data(line.suffix(5).utf8))
        #expect(tail.facts() == [.suggestsHTTP2])
        #expect(tail.facts() == [])
        try FileManager.default.removeItem(atPath: path)
        try (line + line).write(toFile: path, atomically: false, encoding: .utf8)
        #expect(tail.facts() == [.suggestsHTTP2, .suggestsHTTP2])
    }

    @Test func stoppedProcess_isTold_whateverItsNameIs() {
        for (stat, isStopped) in [
            ("12 (cloudflared) T 1 12", true), ("12 (cloudflared) S 1 12", false), ("12 (a) T) S 1 12", false),
            ("12 (a b) S) T 1 12", true), ("", false), ("12 (cloudflared)", false),
        ] { #expect(ProcessState.isStopped(stat: stat) == isStopped, "\(stat)") }
    }

    @Test func agentsPort_beyondLoopbackIsSeen() {
        let head = "  sl  local_address rem_address   st\n"
        func address(_ line: String) -> String? { AgentDoor.beyondLoopback(port: 4096, table: head + line) }
        #expect(address("   0: 0100007F:1000 00000000:0000 0A 0\n") == nil)
        #expect(address("   0: 00000000:1000 00000000:0000 0A 0\n") == "every address")
        #expect(address("   0: 0A00A8C0:1000 00000000:0000 0A 0\n") != nil)
        #expect(address("   0: 00000000:1001 00000000:0000 0A 0\n") == nil)
        #expect(address("   0: 00000000000000000000000001000000:1000 0:0 0A 0\n") == nil)
        #expect(address("   0: 00000000000000000000000000000000:1000 0:0 0A 0\n") == "every address")
    }
}
