import Foundation
import Testing

/// Word out of what needs the owner, from the real tree to a receiver of webhooks.
@Suite(.timeLimit(.minutes(3))) struct WordScenarios {
    private let secret = "0123456789abcdef0123456789abcdef"

    /// The default tree with a receiver beside it, and a child that parks when it is started.
    private func box(statuses: [Int] = []) throws -> Box {
        let box = try Box.defaultTree()
        let port = try freePort()
        let secretFile = box.directory + "/secret"
        try Data(secret.utf8).write(to: URL(fileURLWithPath: secretFile))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: secretFile)
        let toml = try String(contentsOfFile: box.config, encoding: .utf8)
        try box.write(
            toml.replacingOccurrences(
                of: "\n[child.chat-bridge]\n", with: "\n[child.chat-bridge]\nsecrets = [\"webhook\"]\n")
                    + """

                    [secret.webhook]
                    file = "\(secretFile)"
                    [word]
                    send = ["turn", "asked", "parked"]
                    webhook = "http://127.0.0.1:\(port)/hook"
                    [child.receiver]
                    command = ["python3", "\(Programs.repository)/Tests/Scenarios/receiver.py", "\(port)", "\(secretFile)"\
                    \(statuses.map { ", \"\($0)\"" }.joined())]
                    ready = { log-line = "listening" }
                    [child.broken]
                    command = ["/bin/sh", "-c", "exit 78"]
                    enabled = false
                    """)
        return box
    }

    private struct Got: Decodable {
        struct Word: Decodable {
            var id: String
            var kind: String
            var sentence: String
            var session: String?
            var state: String?
            var asking: String?
            var child: String?
        }
        var good: Bool
        var same: Bool
        var status: Int
        var word: Word
    }

    /// What the receiver got, once it is so many.
    private func got(_ box: Box, _ count: Int) throws -> [Got] {
        var all: [Got] = []
        try box.wait("\(count) words at the receiver") { _ in
            let lines = try box.ctl("logs", "receiver", "-n", "100", "--json").output.split(separator: "\n")
            all = try lines.compactMap { line in
                struct Line: Decodable { var message: String }
                let text = try JSONDecoder().decode(Line.self, from: Data(line.utf8)).message
                guard text.hasPrefix("got ") else { return nil }
                return try JSONDecoder().decode(Got.self, from: Data(text.dropFirst(4).utf8))
            }
            return all.count >= count
        }
        return all
    }

    @Test func turnEnd_asking_parkedChild_reachTheWebhook_signed_withoutTextOfTheChat() throws {
        let box = try box()
        try box.start()
        try box.waitReady()
        #expect(try box.ctl("chat", "pomegranate").status == 0)
        let turn = try #require(try got(box, 1).last)
        #expect(turn.good && turn.same && turn.word.kind == "turn" && turn.word.state == "done")
        let asked = try box.begin("chat", "--json", "/permission")
        let waits = try got(box, 2)[1]
        #expect(waits.good && waits.word.kind == "asked" && waits.word.asking == "permission")
        try box.ctl("start", "broken")
        let parked = try got(box, 3)[2]
        #expect(parked.good && parked.word.child == "broken" && parked.word.sentence.contains("parked (config)"))
        // A chat-bridge that starts anew tells nothing again: what it finds parked was told.
        let pid = try box.status().pid("chat-bridge")!
        kill(pid, SIGKILL)
        try box.waitReplaced("chat-bridge", pid)
        // The turn waits on for leave, until the agent ends.
        kill(try #require(try box.status().pid("opencode")), SIGKILL)
        let cut = try got(box, 4)[3]
        #expect(cut.word.kind == "turn" && cut.word.state == "interrupted", "\(cut)")
        #expect(try box.ctl("chat", "the last one").status == 0)
        let all = try got(box, 5)
        #expect(all.map(\.word.kind) == ["turn", "asked", "parked", "turn", "turn"])
        #expect(Set(all.map(\.word.id)).count == 5)
        let said = try box.ctl("logs", "receiver", "-n", "100").output
        #expect(!said.contains("pomegranate") && !said.contains(secret))
        _ = try? asked.wait(.seconds(5))
        #expect(box.stop() == 0)
    }

    @Test func receiverThatFails_getsTheSameWordAgain_andTheChatWaitsForNothing() throws {
        let box = try box(statuses: [503])
        try box.start()
        try box.waitReady()
        #expect(try box.ctl("chat", "hello").status == 0)
        // It answers at once although the word before it is not taken yet.
        #expect(try box.ctl("chat", "hello again").status == 0)
        let all = try got(box, 3)
        #expect(all.filter { $0.status == 503 }.count == 1)
        let refused = try #require(all.first { $0.status == 503 })
        #expect(all.filter { $0.word.id == refused.word.id }.map(\.status) == [503, 204])
        #expect(box.stop() == 0)
    }
}

/// A port of the loopback interface that nobody has now.
func freePort() throws -> UInt16 {
    let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            bind(socket, address, length) == 0 && getsockname(socket, address, &length) == 0
        }
    }
    guard isBound else { throw Trouble("no port is to be had") }
    return UInt16(bigEndian: address.sin_port)
}
