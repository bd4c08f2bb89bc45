import Foundation
import Testing

/// How cloudflared ends, and what its log does to it.
@Suite(.timeLimit(.minutes(3)), .enabled(if: TunnelBox.canMakeNetworks)) struct TunnelEndScenarios {
    private func connected() throws -> TunnelBox {
        let tunnel = try TunnelBox(mode: "named")
        try tunnel.start()
        try tunnel.waitState("connected 4/4")
        return tunnel
    }

    private func waitOff(_ tunnel: TunnelBox) throws -> StatusView.End {
        let status = try tunnel.box.wait("cloudflared to be off") { $0.child("cloudflared")?.state == "off" }
        return try #require(status.child("cloudflared")?.lastEnd)
    }

    /// An open page is a request under way: cloudflared takes its whole grace period, 5 s, cuts it and ends in order.
    @Test func stopUnderAnOpenStream_takesTheGracePeriod_andTheStreamGoesOnAfterwards() throws {
        let tunnel = try connected()
        let visitor = try tunnel.visitor(["/slow 120"])
        try visitor.wait("words") { ($0.count ?? 0) >= 5 }
        let began = ContinuousClock.now
        #expect(try tunnel.box.ctl("tunnel", "stop").status == 0)
        // Nobody new comes in while it drains; who is in hears on.
        try tunnel.box.wait("cloudflared to drain") { $0.child("cloudflared")?.state == "stopping" }
        let heard = visitor.lines.last { $0.what == "words" }?.count ?? 0
        try visitor.wait("words") { ($0.count ?? 0) > heard }
        let end = try waitOff(tunnel)
        #expect(end.cause == "asked" && end.code == 0, "\(end)")
        let took = ContinuousClock.now - began
        #expect(took >= .seconds(4) && took < .seconds(20), "\(took)")
        try visitor.wait("broke")
        let log = try tunnel.box.waitLog("cloudflared", "Tunnel server stopped")
        let order = ["Initiating graceful shutdown", "Unregistered tunnel connection", "Tunnel server stopped"]
        let places = order.map { log.range(of: $0)?.lowerBound }
        #expect(places.allSatisfy { $0 != nil } && places.compactMap { $0 } == places.compactMap { $0 }.sorted())

        #expect(try tunnel.box.ctl("tunnel", "start").status == 0)
        let ended = try visitor.wait("ended", limit: .seconds(60))
        #expect(ended.state == "done" && visitor.numbers(ended) == Array(1...120))
        #expect(tunnel.box.stop() == 0)
    }

    @Test func secondSignalWhileItDrains_endsItAtOnce_asAsked() throws {
        let tunnel = try connected()
        try tunnel.set("slow-drain", "")
        let pid = try #require(try tunnel.box.status().pid("cloudflared"))
        #expect(try tunnel.box.ctl("tunnel", "stop").status == 0)
        try tunnel.box.wait("cloudflared to drain") { _ in
            try tunnel.box.ctl("logs", "cloudflared").output.contains("Initiating graceful shutdown")
        }
        kill(pid, SIGTERM)
        let end = try waitOff(tunnel)
        #expect(end.cause == "asked" && end.signal == Int(SIGTERM), "\(end)")
        try tunnel.set("slow-drain", nil)
        #expect(try tunnel.box.ctl("tunnel", "start").status == 0)
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }

    /// cloudflared hangs with every request when nobody reads its log. log-writer that does not is replaced.
    @Test func undrainedLog_hangsItForSecondsOnly() throws {
        let tunnel = try connected()
        let before = try tunnel.box.status()
        let writer = try #require(before.pid("log-writer"))
        try tunnel.set("chatter", "400")
        kill(writer, SIGSTOP)
        // Its pipe is full with this one: the answer comes when somebody reads again.
        let answer = try tunnel.visit("/", limit: 30)
        #expect(answer.status == "200")
        try tunnel.set("chatter", nil)
        try tunnel.box.waitReplaced("log-writer", writer)
        let after = try tunnel.box.status()
        #expect(after.child("log-writer")?.lastEnd?.cause == "watchdog")
        #expect(after.child("cloudflared")?.run == before.child("cloudflared")?.run)
        try tunnel.waitState("connected 4/4")
        try tunnel.box.wait("the lines of the flood in the log") { _ in
            let lines = try tunnel.box.ctl("logs", "cloudflared", "-n", "2000").output
            return lines.components(separatedBy: "request ....").count - 1 >= 400
        }
        #expect(tunnel.box.stop() == 0)
    }

    /// A closed pipe kills cloudflared at its next line. The end of log-writer closes none; what dies of it all the same is back.
    @Test func closedLog_isNotLogWritersEnd_andASIGPIPEIsACrash() throws {
        let tunnel = try connected()
        let before = try tunnel.box.status()
        try tunnel.set("chatter", "1")
        let writer = try #require(before.pid("log-writer"))
        kill(writer, SIGKILL)
        #expect(try tunnel.visit("/").status == "200")
        try tunnel.box.waitReplaced("log-writer", writer)
        #expect(try tunnel.visit("/").status == "200")
        let pid = try #require(try tunnel.box.status().pid("cloudflared"))
        #expect(pid == before.pid("cloudflared"))
        try tunnel.set("crash", "\(128 + SIGPIPE)")
        let crashed = try tunnel.waitLine("crashed")
        #expect(crashed.contains("signal 13"), "\(crashed)")
        try tunnel.set("crash", nil)
        try tunnel.box.waitReplaced("cloudflared", pid)
        try tunnel.waitState("connected 4/4")
        #expect(tunnel.box.stop() == 0)
    }
}
