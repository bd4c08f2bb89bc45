import Tunnel

/// What is chosen, and how it comes up and goes down.
extension TunnelMachineTests {
    static let chosen: [(String, [Step])] = [
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
                Step(2, seen(1), .connecting(.init(1, of: 4)), [.healthy]),
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
                Step(3, ended("exit 2: boom"), .crashed(exit: "exit 2: boom")),
                Step(4, runs("1-2"), .crashed(exit: "exit 2: boom", next: .again)),
                Step(5, seen(4), .connected(.init(4, of: 4)), [.healthy]),
            ]
        ),
        (
            "ended again and again, faster than anybody looks: it is said while none connects",
            up + [
                Step(3, again("1-2", after: "1-1"), .crashed(exit: "nexusd ended it", next: .again)),
                Step(4, again("1-3", after: "1-2"), .crashed(exit: "nexusd ended it", next: .again)),
                // The same look again is no news, and a run that connected has outlived what was before it.
                Step(5, seen(4), .connected(.init(4, of: 4)), [.healthy]),
                Step(6, runs("1-3"), .connected(.init(4, of: 4))),
                Step(7, seen(0), .reconnecting(.said)),
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
    ]
}
