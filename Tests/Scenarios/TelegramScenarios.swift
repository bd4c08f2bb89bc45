import Foundation
import Testing

/// telegram-bridge in the real tree, against a stand-in of the Bot API: another chat platform is one more worker.
@Suite(.timeLimit(.minutes(4))) struct TelegramScenarios {
    private static let token = "123456789:AAsecretsecretsecretsecretsecretsecr"

    /// The default tree with telegram-bridge and the stand-in, ready and listening.
    private func box(pause: Int = 200) throws -> Box {
        let box = try Box.defaultTree()
        let port = try freePort()
        let (secret, fifo) = (box.directory + "/token", box.directory + "/bot.fifo")
        try Data((Self.token + "\n").utf8).write(to: URL(fileURLWithPath: secret))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: secret)
        guard mkfifo(fifo, 0o600) == 0 else { throw Trouble("no FIFO") }
        let toml = try String(contentsOfFile: box.config, encoding: .utf8)
        try box.write(
            toml + """

                [secret.telegram-token]
                file = "\(secret)"
                [child.telegram-bridge]
                command = ["telegram-bridge"]
                worker = true
                peers = ["chat-bridge"]
                secrets = ["telegram-token"]
                state-directory = "telegram"
                after = ["chat-bridge", "botapi"]
                delay = { first = "20ms", cap = "200ms", stable-after = "50ms" }
                environment = { NEXUS_TELEGRAM_CHATS = "42", NEXUS_TELEGRAM_API = "http://127.0.0.1:\(port)", NEXUS_TELEGRAM_PAUSE_MS = "\(pause)" }
                [child.botapi]
                command = ["python3", "\(Programs.repository)/Tests/Scenarios/botapi.py", "\(port)", "\(secret)", "\(fifo)"]
                ready = { log-line = "listening" }
                """)
        try box.start()
        try box.waitReady()
        try box.wait("telegram-bridge to listen") {
            $0.child("telegram-bridge")?.status?.contains("listening as @nexus_test_bot to 1 chat") == true
        }
        return box
    }

    /// Gives the stand-in a line.
    private func say(_ box: Box, _ json: String) throws {
        let pipe = try #require(FileHandle(forWritingAtPath: box.directory + "/bot.fifo"))
        try pipe.write(contentsOf: Data((json + "\n").utf8))
        try pipe.close()
    }

    private struct Message: Decodable {
        struct Buttons: Decodable {
            struct Button: Decodable {
                var text: String
                var callback_data: String
            }
            var inline_keyboard: [[Button]]
        }
        var id: Int
        var text: String
        var buttons: Buttons?

        func data(of button: String) -> String? {
            buttons?.inline_keyboard.flatMap { $0 }.first { $0.text == button }?.callback_data
        }
    }

    private struct Entry: Decodable { var message: String }

    /// What the stand-in printed with this word before it.
    private func printed<Line: Decodable>(_ box: Box, _ word: String, _ type: Line.Type) throws -> [Line] {
        return try box.ctl("logs", "botapi", "-n", "2000", "--json").output.split(separator: "\n").compactMap { line in
            let text = try JSONDecoder().decode(Entry.self, from: Data(line.utf8)).message
            guard text.hasPrefix(word + " ") else { return nil }
            return try JSONDecoder().decode(type, from: Data(text.dropFirst(word.count + 1).utf8))
        }
    }

    /// Every state of every message, in order, as soon as it is as wanted.
    @discardableResult
    private func messages(
        _ box: Box, _ what: String, until isGood: ([Message]) -> Bool
    ) throws -> [Message] {
        var all: [Message] = []
        do {
            try box.wait(what, limit: .seconds(40)) { _ in
                all = try printed(box, "message", Message.self)
                return isGood(all)
            }
        } catch {
            throw Trouble("\(error)\n\(all.suffix(6))\n\(try box.ctl("logs", "telegram-bridge").output)")
        }
        return all
    }

    @Test func message_isAnsweredInOneThatGrows_andTheTokenIsNowhere() throws {
        let box = try box()
        try say(box, #"{"text":"/slow 40"}"#)
        let grown = try messages(box, "an answer that grows to its end") {
            $0.last?.text.contains("word-40") == true && $0.last?.text.contains("echo") == true
        }
        #expect(Set(grown.map(\.id)).count == 1 && grown.count > 2, "\(grown.map(\.text.count))")
        // Before the first word there may be others: that it works, that the message waits.
        let words = grown.map(\.text).filter { $0.contains("word-") }
        #expect(zip(words, words.dropFirst()).allSatisfy { $0.count <= $1.count }, "\(words)")
        // The next message goes on with the session; /new begins another.
        try say(box, #"{"text":"second"}"#)
        try messages(box, "the second answer") { $0.last?.text.contains("second") == true }
        try say(box, #"{"text":"/new"}"#)
        // Not the last: the second answer may still grow.
        try messages(box, "the word about a new session") { $0.contains { $0.text.contains("new session") } }
        try say(box, #"{"text":"third"}"#)
        try messages(box, "the third answer") { $0.last?.text.contains("third") == true }
        #expect(try box.ctl("chat", "--list", "--json").output.split(separator: "\n").count == 2)
        // A stranger is not heard, and named once.
        try say(box, #"{"text":"let me in","chat":7}"#)
        try say(box, #"{"text":"let me in","chat":7}"#)
        try say(box, #"{"text":"fourth"}"#)
        try messages(box, "the fourth answer") { $0.last?.text.contains("fourth") == true }
        let said = try box.waitLog("telegram-bridge", "chat 7 is not in NEXUS_TELEGRAM_CHATS")
        #expect(said.components(separatedBy: "chat 7 is not in NEXUS_TELEGRAM_CHATS").count == 2, "\(said)")
        #expect(!(try box.ctl("chat", "--list", "--json").output.contains("let me in")))
        let pid = try #require(try box.status().pid("telegram-bridge"))
        let shown =
            try said + box.ctl("status", "--json").output
            + String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)
            + String(contentsOfFile: "/proc/\(pid)/environ", encoding: .utf8)
        #expect(!shown.contains("AAsecret"))
        #expect(box.stop() == 0)
    }

    @Test func leave_isGivenByATap_aQuestionAnswered_aTurnStopped() throws {
        let box = try box()
        try say(box, #"{"text":"/permission"}"#)
        // What is asked stands among what is said, in no order of its own.
        let isAsked = { (all: [Message], button: String) in all.last { $0.data(of: button) != nil } }
        let asked = try messages(box, "the request for leave") { isAsked($0, "Allow once") != nil }
        let ask = try #require(isAsked(asked, "Allow once"))
        try say(box, #"{"tap":"\#(try #require(ask.data(of: "Allow once")))","on":\#(ask.id)}"#)
        try messages(box, "the outcome") { all in
            all.contains { $0.id == ask.id && $0.text.hasSuffix("→ allowed once") && $0.buttons == nil }
        }
        try say(box, #"{"text":"/question"}"#)
        let questions = try messages(box, "the question") { isAsked($0, "Put aside") != nil }
        let question = try #require(isAsked(questions, "Put aside"))
        // echo-agent asks two at once.
        try say(box, #"{"text":"1","reply":\#(question.id)}"#)
        try messages(box, "how to answer") { all in
            all.contains { $0.text.hasPrefix("Not understood.") }
        }
        try say(box, #"{"text":"1\n1, 2","reply":\#(question.id)}"#)
        try messages(box, "the answered question") { all in
            all.contains { $0.id == question.id && $0.text.hasSuffix("→ answered") }
        }
        try say(box, #"{"text":"/slow 200"}"#)
        try messages(box, "words of a long answer") { $0.last?.text.contains("word-3 ") == true }
        try say(box, #"{"text":"/stop"}"#)
        try messages(box, "the end of it") { all in
            all.contains { $0.text.contains("— interrupted: stopped by the user") }
        }
        // What a turn asked goes with it.
        try say(box, #"{"text":"/permission"}"#)
        let again = try messages(box, "a request") { isAsked($0, "Reject")?.id != ask.id }
        let lost = try #require(isAsked(again, "Reject"))
        try say(box, #"{"text":"/stop"}"#)
        try messages(box, "its end") { all in all.contains { $0.id == lost.id && $0.text.contains("→ ") } }
        // A button of the past does nothing.
        try say(box, #"{"tap":"\#(try #require(ask.data(of: "Reject")))","on":\#(ask.id)}"#)
        try box.wait("the word that it is over") { _ in
            try box.ctl("logs", "botapi", "-n", "50").output.contains("This is not waited for any more.")
        }
        #expect(box.stop() == 0)
    }

    @Test func longAnswer_comesInSeveralMessages_evenWhenTelegramWantsPauses() throws {
        let box = try box()
        try say(box, #"{"fail":[429,500]}"#)
        try say(box, #"{"text":"/long 10"}"#)
        let all = try messages(box, "the end of a long answer") { $0.last?.text.contains("echo") == true }
        var last: [Int: String] = [:]
        for message in all { last[message.id] = message.text }
        #expect(last.count >= 3 && last.values.allSatisfy { $0.utf16.count <= 4096 })
        let whole = last.sorted { $0.key < $1.key }.map(\.value).joined(separator: " ")
        for word in 1...10 { #expect(whole.components(separatedBy: "word-\(word)-").count == 2) }
        #expect(box.stop() == 0)
    }

    /// Longer than any number of tries: pauses begin with 20 ms here.
    @Test(arguments: [false, true])
    func telegramAwayAtTheEnd_theEndArrivesWhenItIsBack(isKilled: Bool) throws {
        let box = try box(pause: 20)
        try say(box, #"{"text":"/slow 20"}"#)
        let before = try messages(box, "words of an answer") { $0.last?.text.contains("word-3 ") == true }
        try say(box, #"{"away":true}"#)
        let failed = {
            try self.printed(box, "call", Call.self).count { $0.status == 503 }
        }
        try box.wait("nine tries in vain", limit: .seconds(40)) { _ in try failed() >= 9 }
        if isKilled {
            kill(try #require(try box.status().pid("telegram-bridge")), SIGKILL)
            let tried = try failed()
            try box.wait("the next life's tries", limit: .seconds(40)) { _ in try failed() >= tried + 3 }
        }
        try say(box, #"{"away":false}"#)
        let after = try messages(box, "the end of the answer") { $0.last?.text.contains("word-20") == true }
        #expect(Set(after.map(\.id)) == Set(before.map(\.id)))
        #expect(box.stop() == 0)
    }

    /// It ends while Telegram is away, and does not wait for it.
    @Test func stoppedWhileTelegramIsAway_endsAtOnce_andGoesOnWithTheAnswer() throws {
        let box = try box(pause: 20)
        try say(box, #"{"text":"/slow 20"}"#)
        try messages(box, "words of an answer") { $0.last?.text.contains("word-3 ") == true }
        try say(box, #"{"away":true}"#)
        try box.wait("tries in vain", limit: .seconds(40)) { _ in
            try self.printed(box, "call", Call.self).count { $0.status == 503 } >= 7
        }
        let start = ContinuousClock.now
        #expect(try box.ctl("stop", "telegram-bridge").status == 0)
        #expect(ContinuousClock.now - start < .seconds(5))
        try say(box, #"{"away":false}"#)
        #expect(try box.ctl("start", "telegram-bridge").status == 0)
        try messages(box, "the end of the answer") { $0.last?.text.contains("word-20") == true }
        #expect(box.stop() == 0)
    }

    private struct Call: Decodable { var status: Int }

    @Test func chatBridgeOff_messageWaits_andIsAnsweredOnceWhenItIsBack() throws {
        let box = try box()
        #expect(try box.ctl("stop", "chat-bridge").status == 0)
        try say(box, #"{"text":"patient words"}"#)
        try messages(box, "the word that it waits") { $0.last?.text.contains("goes when it is back") == true }
        #expect(try box.ctl("start", "chat-bridge").status == 0)
        try messages(box, "the answer") { $0.last?.text.contains("echo") == true }
        let list = try box.ctl("chat", "--list", "--json").output
        #expect(list.split(separator: "\n").count == 1 && list.contains(#""turns":1"#), "\(list)")
        #expect(box.stop() == 0)
    }

    @Test(arguments: ["telegram-bridge", "chat-bridge"])
    func killedInMidStream_theSameMessageIsGoneOnWith(victim: String) throws {
        let box = try box()
        try say(box, #"{"text":"/slow 80"}"#)
        let before = try messages(box, "words of an answer") { $0.last?.text.contains("word-3 ") == true }
        let pid = try #require(try box.status().pid(victim))
        kill(pid, SIGKILL)
        let after = try messages(box, "the end of it, in the same message") {
            $0.last?.text.contains("word-80") == true
        }
        #expect(Set(after.map(\.id)) == Set(before.map(\.id)))
        // One turn, however often it was sent.
        let list = try box.ctl("chat", "--list", "--json").output
        #expect(list.split(separator: "\n").count == 1 && list.contains(#""turns":1"#), "\(list)")
        #expect(box.stop() == 0)
    }

    @Test(arguments: [
        (#"NEXUS_TELEGRAM_CHATS = "me""#, "123456789:AAsecretsecret", "names the chats that are listened to"),
        (
            #"NEXUS_TELEGRAM_CHATS = "42", NEXUS_TELEGRAM_API = "http://api.example.invalid""#,
            "123456789:AAsecretsecret", "is no https address"
        ),
        (#"NEXUS_TELEGRAM_CHATS = "42""#, "../../AAsecretsecret", "has not the form of a bot's token"),
    ])
    func badSettings_parkAtOnce_inWords_withoutTheToken(environment: String, token: String, words: String) throws {
        let box = try Box(
            """
            [secret.telegram-token]
            file = "DIR/token"
            [child.telegram-bridge]
            command = ["telegram-bridge"]
            worker = true
            secrets = ["telegram-token"]
            state-directory = "telegram"
            environment = { \(environment) }
            """)
        try Data(token.utf8).write(to: URL(fileURLWithPath: box.directory + "/token"))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: box.directory + "/token")
        try box.start()
        let status = try box.wait("telegram-bridge to park") { $0.child("telegram-bridge")?.state == "parked" }
        #expect(status.child("telegram-bridge")?.cause == "config")
        let said = try box.ctl("why", "telegram-bridge").output
        #expect(said.contains(words) && !said.contains("AAsecret"), "\(said)")
        #expect(box.stop() == 0)
    }
}
