import Tunnel

/// The edge refuses, carries nothing, or more is offered than the chat.
extension TunnelMachineTests {
    private static let silent = "it does not answer on its metrics port, so that nobody knows what it leads to"

    static let refused: [(String, [Step])] = [
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
                Step(30, .outside(.here), .connected(.init(4, of: 4))),
                Step(60, .outside(.lost), .connected(.init(4, of: 4))),
                Step(90, .outside(.lost), .reconnecting(.silent)),
                Step(
                    120, .outside(.lost), .starting,
                    [
                        .restart(
                            .auto, why: "it calls itself connected, and the public address does not lead here any more")
                    ]),
            ]
        ),
        (
            "an address that never led here is no fault of the tunnel's",
            up + [
                Step(30, .outside(.lost), .connected(.init(4, of: 4))),
                Step(60, .outside(.lost), .connected(.init(4, of: 4))),
                Step(90, .outside(.lost), .connected(.init(4, of: 4))),
            ]
        ),
        (
            "what stands in front of the address, or an edge that is not reached, is no stuck tunnel",
            up + [
                Step(30, .outside(.here), .connected(.init(4, of: 4))),
                Step(60, .outside(.lost), .connected(.init(4, of: 4))),
                Step(90, .outside(.asked), .connected(.init(4, of: 4))),
                Step(120, .outside(.lost), .connected(.init(4, of: 4))),
                Step(150, .outside(.unsaid), .connected(.init(4, of: 4))),
                Step(180, .outside(.unsaid), .connected(.init(4, of: 4))),
                Step(210, .outside(.unsaid), .connected(.init(4, of: 4))),
                Step(240, .outside(.lost), .connected(.init(4, of: 4))),
                Step(270, .outside(.lost), .reconnecting(.silent)),
            ]
        ),
        (
            "looks while the chat is away say nothing of the tunnel",
            up + [
                Step(30, .outside(.here), .connected(.init(4, of: 4))),
                Step(60, .outside(.lost), .connected(.init(4, of: 4))),
                Step(61, .origin(answers: false), .originDown), Step(90, .outside(.lost), .originDown),
                Step(120, .outside(.lost), .originDown), Step(150, .outside(.lost), .originDown),
                Step(175, .origin(answers: true), .connected(.init(4, of: 4))),
                Step(176, .outside(.lost), .connected(.init(4, of: 4))),
                Step(206, .outside(.lost), .reconnecting(.silent)),
            ]
        ),
        (
            "exposes more than the chat: stopped until the owner starts it",
            up + [
                Step(3, seen(4, excess: "rule 1"), .exposesMoreThanTheChat("rule 1"), [.end]),
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
                        12, unread, .exposesMoreThanTheChat("the rules in force cannot be read"), [.end]),
                    Step(13, .tick, .exposesMoreThanTheChat("the rules in force cannot be read")),
                ]
        ),
        (
            "a metrics port that answers nobody: its rules are not read; started anew twice, then shut for a while",
            up + (3..<7).map { Step($0, .measured(nil, excess: nil), .reconnecting(.unheard)) }
                + [
                    Step(7, .measured(nil, excess: nil), .starting, [.restart(.auto, why: silent)]),
                    Step(8, runs("1-2"), .starting),
                ] + (9..<13).map { Step($0, .measured(nil, excess: nil), .starting) }
                + [
                    Step(13, .measured(nil, excess: nil), .starting, [.restart(.auto, why: silent)]),
                    Step(15, runs("1-3"), .starting),
                ] + (16..<20).map { Step($0, .measured(nil, excess: nil), .starting) }
                + [
                    Step(20, .measured(nil, excess: nil), .crashed(exit: silent, next: .held(minutes: 15)), [.end]),
                    Step(
                        21, ended("signal 9", run: "1-3", asked: true), .crashed(exit: silent, next: .held(minutes: 15))
                    ),
                    Step(919, .tick, .crashed(exit: silent, next: .held(minutes: 15))),
                    Step(920, .tick, .starting, [.start(.auto)]),
                ]
        ),
        (
            "a metrics port that is not opened yet, or whose process is stopped, exposes nothing",
            [Step(0, .chosen(.named), .starting, [.start(.auto)]), Step(1, runs(), .starting)]
                + (2..<9).map { Step($0, .unopened, .starting) }
                + [Step(9, seen(4), .connected(.init(4, of: 4)), [.healthy])]
                + [Step(10, .suspended(true), .connected(.init(4, of: 4)))]
                + (11..<19).map { Step($0, .measured(nil, excess: nil), .reconnecting(.unheard)) }
                + [Step(19, .suspended(false), .reconnecting(.unheard))]
                + (20..<24).map { Step($0, .unopened, .reconnecting(.unheard)) }
                + [
                    Step(24, .unopened, .starting, [.restart(.auto, why: silent)])
                ]
        ),
        (
            "exposes more than the chat, and runs on though it was ended: ended again",
            up + [
                Step(3, seen(4, excess: "rule 1"), .exposesMoreThanTheChat("rule 1"), [.end]),
                Step(4, runs(), .exposesMoreThanTheChat("rule 1")),
                Step(6, runs(), .exposesMoreThanTheChat("rule 1"), [.end]),
                Step(7, ended("signal 9 (KILL)", asked: true), .exposesMoreThanTheChat("rule 1")),
            ]
        ),
        (
            "the agent stands open: held until it does not",
            [
                Step(0, .door(.open("no password")), .off),
                Step(1, .chosen(.named), .exposesMoreThanTheChat("no password"), [.end]),
                Step(2, .door(.shut), .starting, [.start(.auto)]), Step(3, runs(), .starting),
                Step(4, .door(.open("no password")), .exposesMoreThanTheChat("no password"), [.end]),
            ]
        ),
        (
            "the agent stands open and is started anew again and again: held until it is shut, or stays away",
            up + [
                Step(3, .door(.unseen), .connected(.init(4, of: 4))),
                Step(4, .door(.open("x")), .exposesMoreThanTheChat("x"), [.end]),
                Step(5, .door(.unseen), .exposesMoreThanTheChat("x")),
                Step(33, .door(.open("x")), .exposesMoreThanTheChat("x")),
                Step(40, .door(.unseen), .exposesMoreThanTheChat("x")),
                Step(69, .door(.unseen), .exposesMoreThanTheChat("x")),
                Step(70, .door(.unseen), .starting, [.start(.auto)]),
            ]
        ),
    ]
}
