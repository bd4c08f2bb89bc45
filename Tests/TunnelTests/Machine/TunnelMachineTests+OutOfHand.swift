import Tunnel

/// What others do to it: a taken port, a command by its name, nexusd, a tunnel-worker before this one.
extension TunnelMachineTests {
    static let outOfHand: [(String, [Step])] = [
        (
            "its metrics port was taken: a new one",
            [
                Step(0, .chosen(.named), .starting, [.start(.auto)]),
                Step(
                    1, ended("exit 1: bind: address already in use", kind: .portTaken),
                    .crashed(exit: "exit 1: bind: address already in use"),
                    [.restart(.auto, why: "its metrics port was taken")]),
                Step(2, runs("1-2"), .crashed(exit: "exit 1: bind: address already in use", next: .again)),
            ]
        ),
        (
            "no port can be bound: two starts at once, then nexusd's own",
            [Step(0, .chosen(.named), .starting, [.start(.auto)])]
                + (1...4).map { number in
                    let words = "exit 1: bind: address already in use"
                    return Step(
                        number, ended(words, run: "1-\(number)", kind: .portTaken), .crashed(exit: words),
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
            "stopped by its name while a network is waited for: none that comes starts it",
            [
                Step(0, .network(isUp: false), .off), Step(1, .chosen(.named), .noNetwork, [.stop]),
                Step(2, .stopped, .stopped), Step(3, .network(isUp: true), .stopped), Step(4, .tick, .stopped),
                Step(5, .chosen(.named), .starting, [.start(.auto)]),
                // Between two runs; nexusd has it as off from then on.
                Step(6, runs(), .starting), Step(7, ended("exit 2"), .crashed(exit: "exit 2")),
                Step(8, .stopped, .stopped),
                Step(9, .child(.off(run: "1-1")), .stopped),
                // Just when it was to be started: the start came behind the word.
                Step(10, .chosen(.named), .starting, [.start(.auto)]), Step(11, .stopped, .stopped, [.stop]),
            ]
        ),
        (
            "stopped by its name, started so, and ended before it was looked at",
            up + [
                Step(3, .child(.off(run: "1-1")), .stopped), Step(4, .child(.down(nil)), .stopped),
                Step(5, ended("exit 2", run: "1-1"), .stopped),
                Step(6, ended("exit 78", run: "1-2"), .crashed(exit: "exit 78")),
            ]
        ),
        (
            "stopped by its name while its settings are refused, or it waits for a command anyway",
            [
                Step(0, .settingsRefused("x"), .settingsRefused("x"), [.stop]), Step(1, .stopped, .stopped),
                Step(2, .halted(.named, .exposure("rule 1")), .exposesMoreThanTheChat("rule 1"), [.end]),
                Step(3, .stopped, .exposesMoreThanTheChat("rule 1")),
                Step(4, .chosen(.off), .off, [.stop]), Step(5, .stopped, .off),
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
            "there was no program that may be started: looked at again, whatever nexusd waits for",
            up + [
                Step(
                    3, ended("exit 78", kind: .notStarted), .crashed(exit: "exit 78", next: .whenMended)),
                Step(
                    4, .child(.down(.init(run: "1-1", words: "exit 78", kind: .notStarted), .parked(minutes: 15))),
                    .crashed(exit: "exit 78", next: .whenMended)),
                Step(
                    33, .chosen(.named), .starting, [.restart(.auto, why: "it is to be as it is chosen now")]),
            ]
        ),
        (
            "too many quick tunnels: not asked for again for 15 minutes",
            [
                Step(0, .chosen(.quick), .starting, [.start(.auto)]),
                Step(
                    1, .child(.down(.init(run: "1-1", words: "429", kind: .tooMany))),
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
                Step(3, .halted(.named, .exposure("rule 1")), .exposesMoreThanTheChat("rule 1"), [.end]),
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
}
