import Chance
import Foundation
import Testing

/// SIGKILL of anything between a message and its answer, at random points of a turn, again and again, while a child writes
/// numbered lines: ten rounds, 500 with NEXUS_LONG=1. NEXUS_SEED plays other victims and instants.
@Suite(.timeLimit(.minutes(40))) struct CrashScenarios {
    private static let victims = [
        "chat-bridge", "agent-worker", "opencode", "nexusd", "log-writer", "tunnel-worker", "counter",
    ]

    @Test func killedAtRandomPoints_everyMessageIsOneThingAndNothingIsDoneTwice() throws {
        let seed = Chance.seed()
        let rounds = Chance.isLong ? 500 : 10
        print("\(rounds) rounds, seed \(seed)")
        var random = SplitMix(seed: seed)
        let box = try Box.defaultTree()
        try box.write(String(contentsOfFile: box.config, encoding: .utf8) + CrashedLives.table)
        let lives = CrashedLives(box)
        try box.start()
        try box.waitReady()
        var told: [CrashMessage] = []
        // In turn, in an order of chance: nobody is left out of ten rounds.
        var victims: [String] = []
        for round in 0..<rounds {
            if victims.isEmpty { victims = Self.victims.shuffled(using: &random) }
            told += try play(round, victims.removeLast(), box, &random)
        }
        try settle(box)
        let record = try CrashRecord(box)
        for message in told { record.judge(message, "seed \(seed)") }
        print(record.summary(told))
        #expect(box.stop() == 0)
        print(try lives.judge("seed \(seed)"))
    }

    /// Two messages, one kill, and the end of both.
    private func play(
        _ round: Int, _ victim: String, _ box: Box, _ random: inout SplitMix
    ) throws -> [CrashMessage] {
        let isEarly = Int.random(in: 0..<4, using: &random) == 0
        let instant = Int.random(in: 0..<(isEarly ? 60 : 1200), using: &random)
        let orders = (0..<2).map { _ in Bool.random(using: &random) ? "/slow 7" : "/long 25" }
        let texts = orders.enumerated().map { "message \(round)-\($0) \($1)" }
        var clients = [try box.begin("chat", "--json", texts[0])]
        if isEarly {
            clients.append(try box.begin("chat", "--json", texts[1]))
        } else {
            // The second waits behind the first, in its session.
            try box.wait("round \(round): the message is accepted") { _ in clients[0].output.contains("\"accepted\"") }
            let session = CrashMessage(texts[0], orders[0], victim, clients[0].output).session
            clients.append(try box.begin("chat", "--json", "--session", session ?? "new", texts[1]))
        }
        let pid = victim == "nexusd" ? box.pid : try box.status().pid(victim)
        // The instant itself is what is random here: nothing is waited for.
        usleep(UInt32(instant) * 1000)
        if let pid { kill(pid, SIGKILL) }
        if victim == "nexusd" {
            #expect(box.waitForEnd() == -SIGKILL)
            try box.start()
        }
        let ends = try clients.map { try $0.wait() }
        return zip(texts, zip(orders, ends)).map { CrashMessage($0, $1.0, victim, $1.1.output) }
    }

    /// Until no turn waits or runs any more.
    private func settle(_ box: Box) throws {
        try box.waitReady()
        try box.wait("the end of all turns", limit: .seconds(120)) { _ in
            let list = try box.ctl("chat", "--list", "--json").output
            return !list.isEmpty && !list.contains(#""state":"running""#) && !list.contains(#""state":"queued""#)
        }
    }
}

/// A message and what its sender saw of it.
struct CrashMessage {
    let text: String
    let victim: String
    /// What the agent says to it, when nothing comes between.
    let answer: String
    private(set) var session: String?
    private(set) var turn: Int?
    private(set) var seen = ""
    private(set) var end: String?

    init(_ text: String, _ order: String, _ victim: String, _ output: String) {
        self.text = text
        self.victim = victim
        let count = Int(order.split(separator: " ")[1])!
        let tail = order.hasPrefix("/long") ? "-" + String(repeating: "x", count: 1000) : ""
        answer = (1...count).map { "word-\($0)\(tail) " }.joined()
        for line in output.split(separator: "\n") {
            guard let event = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
                continue
            }
            switch event["type"] as? String {
            case "accepted":
                session = event["session"] as? String
                turn = event["turn"] as? Int
            case "text":
                let text = event["text"] as? String ?? ""
                seen = event["whole"] as? Bool == true ? text : seen + text
            case "ended": end = event["state"] as? String
            case _: break
            }
        }
    }
}

/// What is stored at the end, by chat-bridge and by the agent.
struct CrashRecord {
    private struct Turn {
        var number: Int
        var state: String
        var answer = ""
    }
    private var turns: [String: [Turn]] = [:]
    /// How often the agent was given each text, by its own book.
    private var effects: [String: Int] = [:]
    /// Longest stretch of the agent's words that a crash of chat-bridge may take: a batch, and the word that filled it,
    /// which are of 1010 bytes here.
    private static let lossBytes = 4096 + 1010

    init(_ box: Box) throws {
        let sessions = try Self.objects(box.ctl("chat", "--list", "--json").output).compactMap {
            $0["session"] as? String
        }
        for session in sessions {
            var last = ""
            for event in try Self.objects(box.ctl("chat", "--json", "--history", session).output) {
                if event["type"] as? String == "turn" {
                    last = event["text"] as? String ?? ""
                    turns[last, default: []].append(
                        Turn(number: event["turn"] as? Int ?? 0, state: event["state"] as? String ?? ""))
                } else if event["type"] as? String == "text", let place = turns[last]?.indices.last {
                    let text = event["text"] as? String ?? ""
                    let before = event["whole"] as? Bool == true ? "" : turns[last]?[place].answer ?? ""
                    turns[last]?[place].answer = before + text
                }
            }
        }
        try readTheAgentsBook(box)
    }

    private mutating func readTheAgentsBook(_ box: Box) throws {
        let book = try String(contentsOfFile: box.state + "/echo-agent/sessions.jsonl", encoding: .utf8)
        var prompts: Set<String> = []
        var texts: [String: String] = [:]
        for record in Self.objects(book) {
            if let message = record["message"] as? [String: Any], message["role"] as? String == "user" {
                prompts.insert(message["id"] as? String ?? "")
            } else if let part = record["part"] as? [String: Any], let text = part["text"] as? String {
                texts[part["messageID"] as? String ?? ""] = text
            }
        }
        for prompt in prompts { if let text = texts[prompt] { effects[text, default: 0] += 1 } }
    }

    /// Everything that was promised about one message.
    func judge(_ message: CrashMessage, _ seed: String) {
        let about: Comment = "\(seed), \(message.text) (\(message.victim) was killed)"
        let stored = turns[message.text] ?? []
        let effects = effects[message.text] ?? 0
        #expect(stored.count <= 1 && effects <= 1, about)
        guard message.turn != nil else { return }
        #expect(stored.map(\.number) == [message.turn], about)
        guard let turn = stored.first else { return }
        #expect(["done", "interrupted", "failed"].contains(turn.state), about)
        if let end = message.end { #expect(end == turn.state, about) }
        if turn.state == "done" {
            #expect(effects == 1 && turn.answer.hasPrefix(message.answer), about)
            #expect(turn.answer.contains("I am the built-in echo agent"), about)
            return
        }
        #expect(turn.answer.hasPrefix(message.answer) || message.answer.hasPrefix(turn.answer), about)
        let lost = message.seen.utf8.count - turn.answer.utf8.count
        let mayLose = ["chat-bridge", "nexusd"].contains(message.victim) ? Self.lossBytes : 0
        #expect(lost <= mayLose, "\(seed), \(message.text): \(lost) bytes lost (\(message.victim) was killed)")
    }

    /// One line for docs/testing.md.
    func summary(_ told: [CrashMessage]) -> String {
        let states = told.compactMap { turns[$0.text]?.first?.state }
        let counts = Dictionary(grouping: states) { $0 }.map { "\($0.value.count) \($0.key)" }.sorted()
        let accepted = told.count { $0.turn != nil }
        let effects = told.reduce(0) { $0 + (self.effects[$1.text] ?? 0) }
        return
            "\(told.count) messages, \(accepted) accepted, \(states.count) stored (\(counts.joined(separator: ", "))), "
            + "\(effects) reached the agent, none twice"
    }

    private static func objects(_ lines: String) -> [[String: Any]] {
        lines.split(separator: "\n").compactMap {
            try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        }
    }
}
