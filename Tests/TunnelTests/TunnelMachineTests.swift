import Testing
import Tunnel

/// What was seen, what state it is, what is done: by table.
@Suite(.timeLimit(.minutes(1)))
struct TunnelMachineTests {
    typealias Event = TunnelMachine.Event
    typealias Action = TunnelMachine.Action

    private static func seen(
        _ connections: Int, version: Int = -1, registered: Int = 1, refused: Int = 0, excess: String? = nil
    ) -> Event {
        .measured(
            TunnelMeasurement(
                connections: connections, rules: IngressRules(version: version, rules: []), registered: registered,
                refused: refused), excess: excess)
    }

    private static let unread = Event.measured(
        TunnelMeasurement(connections: 4, rules: nil, registered: 1, refused: 0), excess: nil)

    private static func runs(_ run: String = "1-1") -> Event { .child(.running(run: run)) }

    private static func ended(_ words: String, run: String = "1-1", asked: Bool = false) -> Event {
        asked ? .child(.off(run: run)) : .child(.down(.init(run: run, words: words)))
    }

    /// One step of a story: what is seen at a second, the state then, and what is done.
    struct Step: Sendable {
        var at: Int
        var event: Event
        var state: TunnelState
        var actions: [Action]

        init(_ at: Int, _ event: Event, _ state: TunnelState, _ actions: [Action] = []) {
            (self.at, self.event, self.state, self.actions) = (at, event, state, actions)
        }
    }

    static let up: [Step] = [
        Step(0, .chosen(.named), .starting, [.start(.auto)]),
        Step(1, runs(), .starting),
        Step(2, seen(4), .connected(.init(4, of: 4)), [.healthy]),
    ]

    static let stories: [(String, [Step])] = [
        (
            "off whatever is seen",
            [
                Step(0, .chosen(.off), .off, [.stop]), Step(1, .origin(answers: false), .off),
                Step(2, .network(isUp: false), .off),
                Step(3, runs(), .off), Step(4, runs(), .off), Step(5, runs(), .off, [.stop]), Step(6, .tick, .off),
                Step(7, ended("exit 78"), .off, [.stop]),
            ]
        ),
        (
            "one after the other",
            [
                Step(0, .chosen(.named), .starting, [.start(.auto)]), Step(1, runs(), .starting),
                Step(1, .measured(nil, excess: nil), .starting),
                Step(2, seen(1), .degraded(.init(1, of: 4)), [.healthy]),
                Step(4, seen(4), .connected(.init(4, of: 4)), [.healthy]),
            ]
        ),
        (
            "a quick tunnel has one connection",
            [
                Step(0, .chosen(.quick), .starting, [.start(.auto)]), Step(1, runs(), .starting),
                Step(2, seen(1), .connected(.init(1, of: 1)), [.healthy]),
            ]
        ),
        (
            "a token tunnel waits for its rules",
            [
                Step(0, .chosen(.token), .starting, [.start(.auto)]), Step(1, runs(), .starting),
                Step(2, seen(4), .waitingForConfiguration, [.healthy]),
                Step(3, seen(4, version: 0), .connected(.init(4, of: 4)), [.healthy]),
            ]
        ),
        (
            "a token tunnel with rules of its own waits for none",
            [
                Step(0, .chosen(.token), .starting, [.start(.auto)]), Step(1, runs(), .starting),
                Step(
                    2,
                    .measured(
                        TunnelMeasurement(
                            connections: 4,
                            rules: IngressRules(
                                version: -1,
                                rules: [
                                    .init(hostname: "chat.example.invalid", service: "unix:/chat.sock"),
                                    .init(service: "http_status:404"),
                                ]), registered: 4, refused: 0), excess: nil),
                    .connected(.init(4, of: 4)), [.healthy]),
            ]
        ),
        (
            "origin down and back",
            up + [
                Step(3, .origin(answers: false), .originDown),
                Step(4, .origin(answers: true), .connected(.init(4, of: 4))),
            ]
        ),
        (
            "a chat that worked and answers no more is mended, and not again for ten minutes",
            up + [
                Step(3, .origin(answers: true), .connected(.init(4, of: 4))),
                Step(4, .origin(answers: false), .originDown), Step(5, .origin(answers: false), .originDown),
                Step(6, .origin(answers: false), .originDown, [.mendChat]),
                Step(7, .origin(answers: false), .originDown),
                Step(605, .origin(answers: false), .originDown),
                Step(606, .origin(answers: false), .originDown, [.mendChat]),
            ]
        ),
        (
            "a chat that never answered is on its way",
            up + (3..<9).map { Step($0, .origin(answers: false), .originDown) }
        ),
        (
            "crash, and nexusd starts it again",
            up + [
                Step(3, ended("exit 2: boom"), .crashed(exit: "exit 2: boom")), Step(4, runs("1-2"), .starting),
                Step(5, seen(4), .connected(.init(4, of: 4)), [.healthy]),
            ]
        ),
        ("a clean exit nobody asked for is a failure", up + [Step(3, ended("exit 0"), .crashed(exit: "exit 0"))]),
        (
            "stopped behind our back",
            up + [
                Step(3, ended("exit 0", asked: true), .stopped), Step(4, .tick, .stopped),
                Step(5, .chosen(.named), .starting, [.start(.auto)]),
            ]
        ),
        ("stop", up + [Step(3, .chosen(.off), .off, [.stop]), Step(4, ended("exit 0", asked: true), .off)]),
        (
            "chosen again: started anew, the old end is no news",
            up + [
                Step(3, .chosen(.named), .starting, [.restart(.auto, why: "it is to be as it is chosen now")]),
                Step(4, runs(), .starting),
                Step(4, .child(.down(nil)), .starting), Step(5, runs("1-2"), .starting),
                Step(6, seen(4), .connected(.init(4, of: 4)), [.healthy]),
            ]
        ),
        (
            "bad settings: nothing starts",
            [
                Step(0, .settingsRefused("[tunnel] id: no"), .settingsRefused("[tunnel] id: no"), [.stop]),
                Step(1, .tick, .settingsRefused("[tunnel] id: no")),
                Step(2, .chosen(.named), .starting, [.start(.auto)]),
            ]
        ),
        ("bad settings: what runs goes on", up + [Step(3, .settingsRefused("x"), .connected(.init(4, of: 4)))]),
        (
            "no way out at the start: no start is spent",
            [
                Step(0, .network(isUp: false), .off), Step(1, .chosen(.named), .noNetwork, [.stop]),
                Step(2, .tick, .noNetwork),
                Step(90, .network(isUp: true), .starting, [.start(.auto)]),
            ]
        ),
        (
            "the way out goes before it connected",
            [
                Step(0, .chosen(.named), .starting, [.start(.auto)]), Step(1, runs(), .starting),
                Step(2, .network(isUp: false), .noNetwork, [.stop]), Step(3, ended("exit 0", asked: true), .noNetwork),
                Step(4, .network(isUp: true), .starting, [.start(.auto)]),
            ]
        ),
        (
            "ended with 1 for want of a network",
            [
                Step(0, .chosen(.named), .starting, [.start(.auto)]),
                Step(1, .network(isUp: false), .noNetwork, [.stop]),
                Step(2, ended("exit 1"), .noNetwork, [.stop]),
                Step(3, .network(isUp: true), .starting, [.start(.auto)]),
            ]
        ),
        (
            "cable out while http2 still calls itself ready",
            up + [
                Step(3, .network(isUp: false), .noNetwork), Step(4, seen(4), .noNetwork, [.healthy]),
                Step(20, .network(isUp: true), .connected(.init(4, of: 4))),
            ]
        ),
        (
            "the way out is back and nothing connects: stuck after 20 s",
            up + [
                Step(3, .network(isUp: false), .noNetwork), Step(4, seen(0), .noNetwork), Step(50, .tick, .noNetwork),
                Step(100, .network(isUp: true), .reconnecting(.said)), Step(119, .tick, .reconnecting(.said)),
                Step(
                    120, .tick, .starting,
                    [.restart(.auto, why: "stuck: the network is there, and no connection comes back")]),
            ]
        ),
        (
            "nothing beyond the router at the start: healthy for nexusd, and stuck 20 s after it is back",
            [
                Step(0, .chosen(.named), .starting, [.start(.auto)]), Step(1, runs(), .starting),
                Step(2, .uplink(answers: false), .noUplink), Step(3, seen(0, registered: 0), .noUplink),
                Step(7, .uplink(answers: false), .noUplink, [.healthy]), Step(900, .tick, .noUplink),
                Step(901, .uplink(answers: true), .starting), Step(920, .tick, .starting),
                Step(
                    921, .tick, .starting,
                    [.restart(.auto, why: "stuck: the network is there, and no connection comes back")]),
            ]
        ),
        (
            "nothing beyond the router any more: not stuck, and back by itself",
            up + [
                Step(10, seen(0), .reconnecting(.said)), Step(15, .uplink(answers: false), .noUplink, [.healthy]),
                Step(500, .tick, .noUplink), Step(501, seen(4), .connected(.init(4, of: 4)), [.healthy]),
            ]
        ),
        (
            "gave up for want of an uplink: held, and started at once when there is one",
            up + [
                Step(3, ended("exit 1, it gave up"), .crashed(exit: "exit 1, it gave up")),
                Step(4, .uplink(answers: false), .noUplink, [.stop]), Step(5, .child(.off(run: "1-1")), .noUplink),
                Step(100, .uplink(answers: true), .starting, [.start(.auto)]),
                Step(
                    101, .child(.down(.init(run: "1-2", words: "exit 1, it gave up"))),
                    .crashed(exit: "exit 1, it gave up")),
                Step(102, .uplink(answers: false), .noUplink, [.stop]), Step(401, .tick, .noUplink),
                Step(402, .tick, .starting, [.start(.auto)]),
            ]
        ),
        (
            "ended for a reason of its own while there is no uplink: nexusd's",
            up + [
                Step(3, ended("exit 2"), .crashed(exit: "exit 2")),
                Step(4, .uplink(answers: false), .crashed(exit: "exit 2")),
            ]
        ),
        (
            "stuck after a minute",
            up + [
                Step(10, seen(0), .reconnecting(.said)), Step(40, seen(0), .reconnecting(.said)),
                Step(41, .network(isUp: true), .reconnecting(.said)),
                Step(69, .tick, .reconnecting(.said)),
                Step(
                    70, .tick, .starting,
                    [.restart(.auto, why: "stuck: the network is there, and no connection comes back")]),
            ]
        ),
        (
            "lost and back by itself",
            up + [
                Step(10, .measured(nil, excess: nil), .reconnecting(.said)),
                Step(30, seen(1), .degraded(.init(1, of: 4)), [.healthy]),
                Step(80, .tick, .degraded(.init(1, of: 4))),
            ]
        ),
        (
            "refused over QUIC, which is silent: one http2 run finds the reason",
            [
                Step(0, .chosen(.named), .starting, [.start(.auto)]), Step(1, runs(), .starting),
                Step(2, seen(0, registered: 0, refused: 1), .starting),
                Step(
                    3, seen(0, registered: 0, refused: 2), .starting,
                    [.restart(.http2, why: "the edge refuses it, and only http2 says why")]),
                Step(4, .child(.down(nil)), .starting), Step(5, runs("1-2"), .starting),
                Step(
                    6, .logged(.refused("Unauthorized: Invalid tunnel secret")),
                    .credentialsRefused("Unauthorized: Invalid tunnel secret")),
                Step(
                    7, seen(0, registered: 0, refused: 2), .credentialsRefused("Unauthorized: Invalid tunnel secret"),
                    [.stop]),
                Step(
                    8, ended("exit 0", run: "1-2", asked: true),
                    .credentialsRefused("Unauthorized: Invalid tunnel secret")),
                Step(906, .tick, .credentialsRefused("Unauthorized: Invalid tunnel secret")),
                Step(907, .tick, .starting, [.start(.auto)]),
            ]
        ),
        (
            "refused over http2 without a reason",
            [
                Step(0, .chosen(.named), .starting, [.start(.auto)]), Step(1, runs(), .starting),
                Step(
                    3, seen(0, registered: 0, refused: 2), .starting,
                    [.restart(.http2, why: "the edge refuses it, and only http2 says why")]),
                Step(5, runs("1-2"), .starting), Step(24, seen(0, registered: 0, refused: 5), .starting),
                Step(25, seen(0, registered: 0, refused: 6), .credentialsRefused("the edge gives no reason"), [.stop]),
            ]
        ),
        (
            "a refusal after a registration is the edge's trouble",
            up + [
                Step(3, seen(0, registered: 4, refused: 9), .reconnecting(.said))
            ]
        ),
        (
            "UDP blocked",
            [
                Step(0, .chosen(.named), .starting, [.start(.auto)]), Step(1, runs(), .starting),
                Step(11, .logged(.suggestsHTTP2), .starting), Step(30, .tick, .starting),
                Step(31, .tick, .starting, [.restart(.http2, why: "UDP does not get through")]),
                Step(32, runs("1-2"), .starting), Step(33, seen(4), .connected(.init(4, of: 4)), [.healthy]),
            ]
        ),
        (
            "silent loss: it calls itself connected and carries nothing",
            up + [
                Step(30, .outside(answers: true), .connected(.init(4, of: 4))),
                Step(60, .outside(answers: false), .connected(.init(4, of: 4))),
                Step(90, .outside(answers: false), .reconnecting(.silent)),
                Step(
                    120, .outside(answers: false), .starting,
                    [
                        .restart(
                            .auto, why: "it calls itself connected, and the public address does not lead here any more")
                    ]),
            ]
        ),
        (
            "an address that never led here is no fault of the tunnel's",
            up + [
                Step(30, .outside(answers: false), .connected(.init(4, of: 4))),
                Step(60, .outside(answers: false), .connected(.init(4, of: 4))),
                Step(90, .outside(answers: false), .connected(.init(4, of: 4))),
            ]
        ),
        (
            "exposes more than the chat: stopped until the owner starts it",
            up + [
                Step(3, seen(4, excess: "rule 1"), .exposesMoreThanTheChat("rule 1"), [.stop]),
                Step(4, ended("exit 0", asked: true), .exposesMoreThanTheChat("rule 1")),
                Step(2000, .tick, .exposesMoreThanTheChat("rule 1")),
                Step(2001, .chosen(.named), .starting, [.start(.auto)]),
            ]
        ),
        (
            "rules that cannot be read: not healthy, and after five looks in a row stopped",
            up + (3..<7).map { Step($0, unread, .connected(.init(4, of: 4))) }
                + [Step(7, seen(4), .connected(.init(4, of: 4)), [.healthy])]
                + (8..<12).map { Step($0, unread, .connected(.init(4, of: 4))) }
                + [
                    Step(
                        12, unread, .exposesMoreThanTheChat("the rules in force cannot be read"), [.stop]),
                    Step(13, .tick, .exposesMoreThanTheChat("the rules in force cannot be read")),
                ]
        ),
        (
            "the agent stands open: held until it does not",
            [
                Step(0, .opening("no password"), .off),
                Step(1, .chosen(.named), .exposesMoreThanTheChat("no password"), [.stop]),
                Step(2, .opening(nil), .starting, [.start(.auto)]), Step(3, runs(), .starting),
                Step(4, .opening("no password"), .exposesMoreThanTheChat("no password"), [.stop]),
            ]
        ),
        (
            "its metrics port was taken: a new one",
            [
                Step(0, .chosen(.named), .starting, [.start(.auto)]),
                Step(
                    1, ended("exit 1: bind: address already in use"),
                    .crashed(exit: "exit 1: bind: address already in use"),
                    [.restart(.auto, why: "its metrics port was taken")]),
                Step(2, runs("1-2"), .starting),
            ]
        ),
        (
            "no port can be bound: two starts at once, then nexusd's own",
            [Step(0, .chosen(.named), .starting, [.start(.auto)])]
                + (1...4).map { number in
                    let words = "exit 1: bind: address already in use"
                    return Step(
                        number, ended(words, run: "1-\(number)"), .crashed(exit: words),
                        number <= 2 ? [.restart(.auto, why: "its metrics port was taken")] : [])
                }
        ),
        (
            "stopped by its name while it was down already, and started so again",
            up + [
                Step(3, ended("exit 2"), .crashed(exit: "exit 2")), Step(4, .child(.off(run: "1-1")), .stopped),
                Step(5, runs("1-2"), .starting), Step(6, seen(4), .connected(.init(4, of: 4)), [.healthy]),
            ]
        ),
        (
            "started by its name while something holds it",
            [
                Step(0, .network(isUp: false), .off), Step(1, .chosen(.named), .noNetwork, [.stop]),
                Step(2, runs(), .noNetwork), Step(3, ended("exit 78"), .noNetwork, [.stop]),
                Step(4, .child(.off(run: "1-1")), .noNetwork),
            ]
        ),
        (
            "nexusd has parked it, and says when it tries again",
            up + [
                Step(
                    3, .child(.down(.init(run: "1-1", words: "exit 2"), .soon(seconds: 4))),
                    .crashed(exit: "exit 2", next: .soon(seconds: 4))),
                // The words of the first look stay true.
                Step(
                    4, .child(.down(.init(run: "1-1", words: "exit 2"), .soon(seconds: 3))),
                    .crashed(exit: "exit 2", next: .soon(seconds: 4))),
                Step(
                    5, .child(.down(.init(run: "1-2", words: "exit 2"), .parked(minutes: 15))),
                    .crashed(exit: "exit 2", next: .parked(minutes: 15))),
                Step(
                    66, .child(.down(.init(run: "1-2", words: "exit 2"), .parked(minutes: 14))),
                    .crashed(exit: "exit 2", next: .parked(minutes: 14))),
            ]
        ),
        (
            "too many quick tunnels: not asked for again for 15 minutes",
            [
                Step(0, .chosen(.quick), .starting, [.start(.auto)]),
                Step(
                    1, .child(.down(.init(run: "1-1", words: "429", isTooMany: true))),
                    .crashed(exit: "429", next: .held(minutes: 15)), [.stop]),
                Step(2, .child(.off(run: "1-1")), .crashed(exit: "429", next: .held(minutes: 15))),
                Step(900, .tick, .crashed(exit: "429", next: .held(minutes: 15))),
                Step(901, .tick, .starting, [.start(.auto)]),
            ]
        ),
        (
            "down until a command, as a tunnel-worker before this one knew",
            [
                Step(0, .halted(.named, .stopped), .stopped), Step(1, .tick, .stopped),
                Step(2, .chosen(.named), .starting, [.start(.auto)]),
                Step(3, .halted(.named, .exposure("rule 1")), .exposesMoreThanTheChat("rule 1"), [.stop]),
            ]
        ),
        (
            "one that a tunnel-worker before this one started",
            [
                Step(0, .found(.named, run: "1-1"), .starting), Step(1, runs(), .starting),
                Step(2, seen(4), .connected(.init(4, of: 4)), [.healthy]),
            ]
        ),
    ]

    @Test(arguments: stories) func eachStory_goesAsItIsTold(_ name: String, _ steps: [Step]) {
        var machine = TunnelMachine()
        for (number, step) in steps.enumerated() {
            let actions = machine.step(step.event, at: .seconds(step.at))
            #expect(machine.state == step.state, "\(name), step \(number)")
            #expect(actions == step.actions, "\(name), step \(number)")
        }
    }

    /// Whatever is seen in whatever order: `off` leads to off, and nothing is ever started without a way out.
    @Test(arguments: [UInt64(11), 4711]) func randomEvents_neverStartWithoutNetworkAndEndInOff(_ seed: UInt64) {
        let events: [Event] = [
            .chosen(.named), .chosen(.token), .chosen(.quick), .settingsRefused("x"), .network(isUp: true),
            .network(isUp: false), .uplink(answers: false), .uplink(answers: true), Self.runs(), Self.runs("1-2"),
            .child(.down(nil)), Self.ended("exit 1"),
            .child(.off()), .child(.down(.init(run: "1-3", words: "429", isTooMany: true))),
            .halted(.named, .stopped), .halted(.named, .exposure("x")), .found(.named, run: nil),
            Self.ended("exit 0", asked: true), Self.ended("exit 1", run: "1-2"), Self.seen(0), Self.seen(4),
            Self.seen(4, version: 1), Self.seen(0, registered: 0, refused: 5), Self.seen(4, excess: "x"),
            .measured(nil, excess: nil), .logged(.refused("no")), .logged(.suggestsHTTP2), .opening("x"), .opening(nil),
            .origin(answers: false), .origin(answers: true), .outside(answers: true), .outside(answers: false), .tick,
        ]
        var state = seed
        var machine = TunnelMachine()
        var hasNetwork = true
        for second in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let event = events[Int(state >> 33) % events.count]
            if case .network(let isUp) = event { hasNetwork = isUp }
            for action in machine.step(event, at: .seconds(second)) {
                switch action {
                case .start, .restart: #expect(hasNetwork, "seed \(seed), second \(second): \(event)")
                case .stop, .healthy, .mendChat: break
                }
            }
        }
        #expect(machine.step(.chosen(.off), at: .seconds(20_000)) == [.stop])
        #expect(machine.state == .off)
    }
}
