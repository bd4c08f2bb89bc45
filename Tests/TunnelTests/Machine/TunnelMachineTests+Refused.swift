import Tunnel

/// The edge refuses, carries nothing, or more is offered than the chat.
extension TunnelMachineTests {
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
                Step(0, .door(.open("no password")), .off),
                Step(1, .chosen(.named), .exposesMoreThanTheChat("no password"), [.stop]),
                Step(2, .door(.shut), .starting, [.start(.auto)]), Step(3, runs(), .starting),
                Step(4, .door(.open("no password")), .exposesMoreThanTheChat("no password"), [.stop]),
            ]
        ),
        (
            "the agent stands open and is started anew again and again: held until it is shut, or stays away",
            up + [
                Step(3, .door(.unseen), .connected(.init(4, of: 4))),
                Step(4, .door(.open("x")), .exposesMoreThanTheChat("x"), [.stop]),
                Step(5, .door(.unseen), .exposesMoreThanTheChat("x")),
                Step(33, .door(.open("x")), .exposesMoreThanTheChat("x")),
                Step(40, .door(.unseen), .exposesMoreThanTheChat("x")),
                Step(69, .door(.unseen), .exposesMoreThanTheChat("x")),
                Step(70, .door(.unseen), .starting, [.start(.auto)]),
            ]
        ),
    ]
}
