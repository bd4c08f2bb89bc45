import Testing
import Tunnel

/// What was seen, what state it is, what is done: by table.
@Suite(.timeLimit(.minutes(1)))
struct TunnelMachineTests {
    typealias Event = TunnelMachine.Event
    typealias Action = TunnelMachine.Action

    static func seen(
        _ connections: Int, version: Int = -1, registered: Int = 1, refused: Int = 0, excess: String? = nil
    ) -> Event {
        .measured(
            TunnelMeasurement(
                connections: connections, rules: IngressRules(version: version, rules: []), registered: registered,
                refused: refused), excess: excess)
    }

    static let unread = Event.measured(
        TunnelMeasurement(connections: 4, rules: nil, registered: 1, refused: 0), excess: nil)

    static func runs(_ run: String = "1-1") -> Event { .child(.running(run: run)) }

    static func again(_ run: String, after: String) -> Event {
        .child(.running(run: run, after: .init(run: after, words: "nexusd ended it")))
    }

    /// nexusd has started the next one before that end was looked at.
    static func overtaken(_ run: String, after: String, _ words: String, kind: EndWords.Kind) -> Event {
        .child(.running(run: run, after: .init(run: after, words: words, kind: kind)))
    }

    static func ended(
        _ words: String, run: String = "1-1", asked: Bool = false, kind: EndWords.Kind = .other
    ) -> Event {
        asked ? .child(.off(run: run)) : .child(.down(.init(run: run, words: words, kind: kind)))
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

    static let stories = chosen + cutOff + refused + outOfHand

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
            Self.again("1-4", after: "1-3"),
            .child(.down(nil)), Self.ended("exit 1", kind: .gaveUp),
            Self.ended("exit 1", run: "1-5", kind: .noNames),
            .child(.off()), .stopped, .child(.down(.init(run: "1-3", words: "429", kind: .tooMany))),
            .halted(.named, .stopped), .halted(.named, .exposure("x")), .found(.named, run: nil),
            Self.ended("exit 0", asked: true), Self.ended("exit 1", run: "1-2", kind: .portTaken), Self.seen(0),
            Self.seen(4),
            Self.seen(4, version: 1), Self.seen(0, registered: 0, refused: 5), Self.seen(4, excess: "x"),
            .measured(nil, excess: nil), .suspended(true), .suspended(false), .logged(.refused("no")),
            .logged(.suggestsHTTP2), .door(.open("x")), .door(.shut), .door(.unseen),
            .origin(answers: false), .origin(answers: true), .outside(.here), .outside(.lost), .outside(.asked),
            .outside(.unreached), .unopened, .tick,
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
                case .stop, .end, .healthy, .mendChat: break
                }
            }
        }
        #expect(machine.step(.chosen(.off), at: .seconds(20_000)) == [.stop])
        #expect(machine.state == .off)
    }
}
