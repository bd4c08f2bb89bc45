import Foundation
import Testing

/// Somebody outside has a turn under way while something on his way goes and comes back.
@Suite(.timeLimit(.minutes(3)), .enabled(if: TunnelBox.canMakeNetworks)) struct TunnelClientScenarios {
    private func connected(_ texts: String...) throws -> (TunnelBox, Visitor) {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        return (tunnel, try tunnel.visitor(texts))
    }

    @Test func crashOfCloudflared_underAStream_losesNoWord() throws {
        let (tunnel, visitor) = try connected("/slow 40")
        try visitor.wait("words") { ($0.count ?? 0) >= 5 }
        let pid = try #require(try tunnel.box.status().pid("cloudflared"))
        kill(pid, SIGKILL)
        try visitor.wait("broke")
        try visitor.wait("resumed")
        let end = try visitor.wait("ended")
        #expect(end.state == "done")
        #expect(visitor.numbers(end) == Array(1...40))
        #expect(tunnel.box.stop() == 0)
    }

    /// Of the agent: the turn ends as interrupted, in words, and he has what had been said. Of chat-bridge: it goes on. The next one is
    /// whole.
    @Test(arguments: ["opencode", "chat-bridge"])
    func restart_underAStream_isSaid_andTheNextTurnIsWhole(_ child: String) throws {
        let (tunnel, visitor) = try connected("/slow 100", "/slow 3")
        try visitor.wait("words") { ($0.count ?? 0) >= 5 }
        let before = try tunnel.box.status()
        kill(try #require(before.pid(child)), SIGKILL)
        let end = try visitor.wait("ended")
        let goesOn = child == "chat-bridge"
        #expect(end.state == (goesOn ? "done" : "interrupted") && goesOn == (end.reason?.isEmpty != false), "\(end)")
        let numbers = visitor.numbers(end)
        #expect(numbers.count >= (goesOn ? 100 : 5) && numbers == Array(1...numbers.count), "\(numbers)")
        // The stream breaks where chat-bridge is its end, and not where it stays.
        #expect(visitor.lines.contains { $0.what == "broke" } == goesOn)
        let history = try tunnel.box.ctl("chat", "--history", try #require(end.session), "--json").output
        #expect(history.contains(goesOn ? #""state":"done""# : #""state":"interrupted""#), "\(history)")
        try tunnel.box.waitReplaced(child, try #require(before.pid(child)))
        try visitor.go(1)
        let next = try visitor.wait("ended") { $0.state == "done" && $0.answer != end.answer }
        #expect(visitor.numbers(next) == [1, 2, 3])
        // Nothing of it was the tunnel's to mend.
        #expect(try tunnel.box.status().pid("cloudflared") == before.pid("cloudflared"))
        #expect(tunnel.box.stop() == 0)
    }

    @Test func networkCutFor20Seconds_underAStream_losesNothing() throws {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.set("edge", "0.0.0.0:8081")
        try tunnel.start(network: false)
        let elsewhere = try Elsewhere(tunnel)
        try tunnel.waitState("connected 4/4")
        let visitor = try Visitor(
            tunnel.box, enter: elsewhere.enter, edge: Elsewhere.edge, host: "chat.example.invalid", ["/slow 240"])
        try visitor.wait("words") { ($0.count ?? 0) >= 5 }
        let before = try #require(try tunnel.box.status().child("cloudflared"))

        let cut = ContinuousClock.now
        try elsewhere.cable(false)
        // What cloudflared says of it some seconds later.
        try tunnel.set("lose", "")
        try tunnel.waitState("no network")
        let heard = visitor.lines.last { $0.what == "words" }?.count ?? 0
        // The visitor's own patience ends meanwhile; then it tries in vain until the cable is back.
        try visitor.wait("broke")
        while ContinuousClock.now - cut < .seconds(20) {
            #expect(!visitor.lines.contains { $0.what == "resumed" })
            // No event ends this: its length is what is tested.
            poll(nil, 0, 200)
        }
        #expect((visitor.lines.last { $0.what == "words" }?.count ?? 0) <= heard + 1, "something came through the cut")
        try tunnel.set("lose", nil)
        try elsewhere.cable(true)

        let resumed = try visitor.wait("resumed")
        #expect((resumed.after ?? 0) > 0)
        let end = try visitor.wait("ended", limit: .seconds(60))
        #expect(end.state == "done")
        #expect(visitor.numbers(end) == Array(1...240))
        try tunnel.waitState("connected 4/4")
        let after = try #require(try tunnel.box.status().child("cloudflared"))
        #expect(after.run == before.run && after.restarts == before.restarts)
        #expect(tunnel.box.stop() == 0)
    }
}

extension TunnelBox {
    /// Somebody at the edge, in the box's own network.
    func visitor(_ texts: [String], host: String = "chat.example.invalid") throws -> Visitor {
        try Visitor(
            box, enter: ["/usr/bin/nsenter", "-t", "\(box.pid)", "-n"], edge: Self.edge, host: host, texts)
    }
}
