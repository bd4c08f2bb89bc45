import Tunnel

/// No way out, nothing beyond the router, and what is stuck.
extension TunnelMachineTests {
    static let cutOff: [(String, [Step])] = [
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
                Step(2, ended("exit 1", kind: .gaveUp), .noNetwork, [.stop]),
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
            "nothing beyond the router at the start: healthy for nexusd, and started anew soon after it is back",
            [
                Step(0, .chosen(.named), .starting, [.start(.auto)]), Step(1, runs(), .starting),
                Step(2, .uplink(answers: false), .noUplink), Step(3, seen(0, registered: 0), .noUplink),
                Step(7, .uplink(answers: false), .noUplink, [.healthy]), Step(900, .tick, .noUplink),
                Step(901, .uplink(answers: true), .starting), Step(903, .tick, .starting),
                Step(
                    904, .tick, .starting,
                    [.restart(.auto, why: "stuck: the network is there, and no connection comes back")]),
            ]
        ),
        (
            "the way out is back, we get to the edge and it does not: not waited for what it waits for itself",
            up + [
                Step(3, .network(isUp: false), .noNetwork), Step(4, seen(0), .noNetwork),
                Step(100, .network(isUp: true), .reconnecting(.said)),
                Step(101, .uplink(answers: false), .noUplink, [.healthy]), Step(104, .tick, .noUplink),
                Step(105, .uplink(answers: true), .reconnecting(.said)), Step(107, .tick, .reconnecting(.said)),
                Step(
                    108, .tick, .starting,
                    [.restart(.auto, why: "stuck: the network is there, and no connection comes back")]),
            ]
        ),
        (
            "the same of a quick tunnel, whose name a new start would lose: 20 s",
            [
                Step(0, .chosen(.quick), .starting, [.start(.auto)]), Step(1, runs(), .starting),
                Step(2, seen(1), .connected(.init(1, of: 1)), [.healthy]),
                Step(3, .network(isUp: false), .noNetwork), Step(4, seen(0), .noNetwork),
                Step(100, .network(isUp: true), .reconnecting(.said)),
                Step(101, .uplink(answers: true), .reconnecting(.said)), Step(119, .tick, .reconnecting(.said)),
                Step(
                    120, .tick, .starting,
                    [.restart(.auto, why: "stuck: the network is there, and no connection comes back")]),
            ]
        ),
        (
            "the line comes and goes: one start anew each time at most",
            up + [
                Step(3, .network(isUp: false), .noNetwork), Step(4, seen(0), .noNetwork),
                Step(5, .network(isUp: true), .reconnecting(.said)),
                Step(6, .uplink(answers: true), .reconnecting(.said)),
                Step(7, .network(isUp: false), .noNetwork), Step(12, .tick, .noNetwork),
                Step(13, .network(isUp: true), .reconnecting(.said)), Step(17, .tick, .reconnecting(.said)),
                Step(18, .uplink(answers: true), .reconnecting(.said)),
                Step(
                    21, .tick, .starting,
                    [.restart(.auto, why: "stuck: the network is there, and no connection comes back")]),
                Step(22, runs("1-2"), .starting), Step(60, .tick, .starting),
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
                Step(3, ended("exit 1, it gave up", kind: .gaveUp), .crashed(exit: "exit 1, it gave up")),
                Step(4, .uplink(answers: false), .noUplink, [.stop]), Step(5, .child(.off(run: "1-1")), .noUplink),
                Step(100, .uplink(answers: true), .starting, [.start(.auto)]),
                Step(
                    101, .child(.down(.init(run: "1-2", words: "exit 1, it gave up", kind: .gaveUp))),
                    .crashed(exit: "exit 1, it gave up")),
                Step(102, .uplink(answers: false), .noUplink, [.stop]), Step(401, .tick, .noUplink),
                Step(402, .tick, .starting, [.start(.auto)]),
            ]
        ),
        (
            "names are not resolved: later each time, not while our own look does not get there either, and at once when it does",
            [
                Step(0, .chosen(.named), .starting, [.start(.auto)]), Step(1, runs(), .starting),
                Step(16, ended("exit 1", kind: .noNames), .noNames, [.stop]),
                Step(17, .child(.off(run: "1-1")), .noNames), Step(20, .tick, .noNames),
                Step(21, .tick, .starting, [.start(.auto)]),
                Step(22, ended("exit 1", run: "1-2", kind: .noNames), .noNames, [.stop]), Step(31, .tick, .noNames),
                Step(32, .tick, .starting, [.start(.auto)]),
                Step(33, ended("exit 1", run: "1-3", kind: .noNames), .noNames, [.stop]),
                Step(38, .uplink(answers: false), .noNames), Step(43, .uplink(answers: false), .noNames),
                Step(337, .tick, .noNames), Step(337, .uplink(answers: true), .starting, [.start(.auto)]),
                Step(338, runs("1-4"), .starting), Step(339, seen(4), .connected(.init(4, of: 4)), [.healthy]),
                Step(340, ended("exit 1", run: "1-4", kind: .noNames), .noNames, [.stop]), Step(344, .tick, .noNames),
                Step(345, .tick, .starting, [.start(.auto)]),
            ]
        ),
        (
            "names are not resolved, and our own look says nothing else: tried all the same",
            [
                Step(0, .chosen(.named), .starting, [.start(.auto)]),
                Step(1, ended("exit 1", kind: .noNames), .noNames, [.stop]),
                Step(2, .uplink(answers: false), .noNames), Step(301, .tick, .noNames),
                Step(302, .tick, .starting, [.start(.auto)]),
                Step(303, ended("exit 1", run: "1-2", kind: .noNames), .noNames, [.stop]),
                Step(304, .uplink(answers: false), .noNames), Step(602, .tick, .noNames),
                Step(603, .tick, .starting, [.start(.auto)]),
            ]
        ),
        (
            "no names, and nexusd was faster than the look at that end: held all the same",
            up + [
                Step(
                    3, overtaken("1-2", after: "1-1", "signal 9", kind: .other),
                    .crashed(exit: "signal 9", next: .again)),
                Step(4, overtaken("1-3", after: "1-2", "exit 1", kind: .noNames), .noNames, [.stop]),
            ]
        ),
        (
            "why it ended is known a moment later, before nexusd's next start or after it",
            up + [
                Step(3, ended("exit 1", kind: .gaveUp), .crashed(exit: "exit 1")),
                Step(4, ended("exit 1, no names", kind: .noNames), .noNames, [.stop]),
                Step(5, .child(.off(run: "1-1")), .noNames), Step(9, .tick, .starting, [.start(.auto)]),
                Step(
                    10, overtaken("1-3", after: "1-2", "exit 1", kind: .gaveUp),
                    .crashed(exit: "exit 1", next: .again)),
                Step(11, overtaken("1-3", after: "1-2", "exit 1, no names", kind: .noNames), .noNames, [.stop]),
            ]
        ),
        (
            "cut beyond the router while it calls itself connected: our own looks tell",
            up + [
                Step(30, .outside(.here), .connected(.init(4, of: 4))),
                Step(60, .outside(.unreached), .connected(.init(4, of: 4))),
                Step(60, .uplink(answers: false), .noUplink, [.healthy]), Step(61, seen(4), .noUplink, [.healthy]),
                Step(65, .uplink(answers: false), .noUplink, [.healthy]), Step(500, .tick, .noUplink),
                Step(501, .uplink(answers: true), .connected(.init(4, of: 4))),
                Step(502, .outside(.here), .connected(.init(4, of: 4))),
                // Nobody asks then.
                Step(503, .uplink(answers: false), .connected(.init(4, of: 4))),
            ]
        ),
        (
            "an address that was never reached from here says nothing of the line",
            up + [
                Step(30, .outside(.unreached), .connected(.init(4, of: 4))),
                Step(31, .uplink(answers: false), .connected(.init(4, of: 4))),
            ]
        ),
        (
            "some connections of a start are no degraded tunnel, until all stood or the time for that is over",
            [
                Step(0, .chosen(.named), .starting, [.start(.auto)]), Step(1, runs(), .starting),
                Step(2, seen(1), .connecting(.init(1, of: 4)), [.healthy]),
                Step(21, seen(2), .connecting(.init(2, of: 4)), [.healthy]),
                Step(22, seen(2), .degraded(.init(2, of: 4)), [.healthy]),
                Step(23, seen(4), .connected(.init(4, of: 4)), [.healthy]),
                Step(24, seen(3), .degraded(.init(3, of: 4)), [.healthy]),
            ]
        ),
        (
            "found with some of them: degraded, for its start was long ago",
            [
                Step(0, .found(.named, run: "1-1"), .starting),
                Step(1, seen(3), .degraded(.init(3, of: 4)), [.healthy]),
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
                Step(10, .measured(nil, excess: nil), .reconnecting(.unheard)),
                Step(30, seen(1), .degraded(.init(1, of: 4)), [.healthy]),
                Step(80, .tick, .degraded(.init(1, of: 4))),
            ]
        ),
    ]
}
