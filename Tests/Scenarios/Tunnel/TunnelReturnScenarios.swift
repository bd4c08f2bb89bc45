import Foundation
import Testing

/// A quick tunnel's next address goes out with a link by which a device that is known comes back.
@Suite(.timeLimit(.minutes(3)), .enabled(if: TunnelBox.canMakeNetworks)) struct TunnelReturnScenarios {
    private struct Got: Decodable {
        struct Word: Decodable {
            var kind: String
            var url: String?
            var link: String?
            var device: String?
        }
        var good: Bool
        var word: Word
    }

    /// A quick tunnel, with a receiver of webhooks in the same network.
    private func box() throws -> TunnelBox {
        let tunnel = try TunnelBox(mode: "quick", url: nil)
        try tunnel.secretFile("hook", "0123456789abcdef0123456789abcdef")
        let toml = try String(contentsOfFile: tunnel.box.config, encoding: .utf8)
        try tunnel.box.write(
            toml.replacingOccurrences(
                of: "\n[child.chat-bridge]\n", with: "\n[child.chat-bridge]\nsecrets = [\"webhook\"]\n")
                    + """

                    [secret.webhook]
                    file = "DIR/hook"
                    [word]
                    send = ["address"]
                    webhook = "http://127.0.0.1:8090/hook"
                    [child.receiver]
                    command = ["python3", "\(Programs.repository)/Tests/Scenarios/receiver.py", "8090", "DIR/hook"]
                    ready = { log-line = "listening" }
                    """)
        return tunnel
    }

    /// What the receiver got about this address, once it did.
    private func word(_ tunnel: TunnelBox, about url: String) throws -> Got.Word {
        var found: Got?
        try tunnel.box.wait("word of \(url)") { _ in
            let lines = try tunnel.box.ctl("logs", "receiver", "-n", "100", "--json").output.split(separator: "\n")
            found = try lines.compactMap { line in
                struct Line: Decodable { var message: String }
                let text = try JSONDecoder().decode(Line.self, from: Data(line.utf8)).message
                guard text.hasPrefix("got ") else { return nil }
                return try JSONDecoder().decode(Got.self, from: Data(text.dropFirst(4).utf8))
            }.last { $0.word.url == url }
            return found != nil
        }
        let got = try #require(found)
        #expect(got.good && got.word.kind == "address")
        return got.word
    }

    @Test func nextAddress_goesOut_withALinkThatBringsAKnownDeviceBack_once() throws {
        let tunnel = try box()
        try tunnel.start()
        let first = try #require(try tunnel.waitState("connected 1/1").url)
        // Nobody is known yet: an address, and no link.
        #expect(try word(tunnel, about: first).link == nil)
        let device = try PageDevice(tunnel, host: String(first.dropFirst("https://".count)))
        let pid = try #require(try tunnel.box.status().pid("cloudflared"))
        kill(pid, SIGKILL)
        try tunnel.box.waitReplaced("cloudflared", pid)
        var second = first
        try tunnel.box.wait("another address") { _ in
            let now = try tunnel.described()
            second = now.url ?? first
            return now.state == "connected" && second != first
        }
        let told = try word(tunnel, about: second)
        #expect(told.device == device.id)
        let link = try #require(told.link)
        let code = try #require(link.components(separatedBy: "/#again=").last)
        #expect(link == "\(second)/#again=\(code)" && code.count == 20)

        // Opening it spends nothing; the tap's POST does, once.
        let host = String(second.dropFirst("https://".count))
        #expect(try tunnel.visit("/", host: host).status == "200")
        let back = try PageDevice(tunnel, host: host, code: code)
        #expect(back.id == device.id)
        #expect(try back.ask("/api/devices", #"{"op":"own"}"#).status == "200")
        #expect(try device.ask("/api/devices", #"{"op":"own"}"#, host: host).status == "401")
        #expect(throws: Trouble.self) { try PageDevice(tunnel, host: host, code: code) }
        let log = try tunnel.box.waitLog(
            "chat-bridge", "a link was made by which device \(device.id) may come back",
            "device \(device.id) 'a page' came back as owner")
        #expect(!log.contains(code))
        #expect(tunnel.box.stop() == 0)
    }
}
