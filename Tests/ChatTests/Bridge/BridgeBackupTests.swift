import Chance
import Foundation
import Glibc
import SupervisorCore
import Testing
import Wire

/// Backup and restore through the built chat-bridge, killed where it hurts.
@Suite(.timeLimit(.minutes(3)), .serialized)
struct BridgeBackupTests {
    private func backup(_ play: Play) throws -> [UInt8] {
        let id = play.bridge.ask(#"{"op":"backup"}"#)
        var pieces: [[UInt8]] = []
        while true {
            let frame = try play.bridge.next()
            guard frame.header.id == id else { continue }
            if frame.header.kind == .end { break }
            try #require(frame.header.kind == .stream, "\(String(decoding: frame.payload, as: UTF8.self))")
            pieces.append(frame.payload)
        }
        let about = try JSONSerialization.jsonObject(with: Data(pieces[0])) as? [String: Any]
        let bytes = Array(pieces.dropFirst().joined())
        #expect(about?["bytes"] as? Int == bytes.count)
        return bytes
    }

    /// Sends a backup as credit comes; the last frame of the answer, nil when chat-bridge ended without one.
    private func restore(_ bytes: [UInt8], _ play: Play, killAfter: Int? = nil) throws -> Frame? {
        let id = play.bridge.ask(#"{"op":"restore","bytes":\#(bytes.count)}"#)
        var rest = bytes[...]
        var window = 60_000
        var isWhole = false
        var killer: Thread?
        while true {
            while !isWhole, window > 17_000 {
                let piece = Array(rest.prefix(16_384))
                rest = rest.dropFirst(piece.count)
                isWhole = piece.isEmpty
                play.bridge.write(Frame(isWhole ? .end : .stream, peer: BridgeProcess.client, id: id, payload: piece))
                window -= piece.count + 16
                if isWhole, let killAfter {
                    let pid = play.bridge.pid
                    // The instant is what is random: nothing is waited for.
                    killer = Thread {
                        usleep(UInt32(killAfter))
                        kill(pid, SIGKILL)
                    }
                    killer?.start()
                }
            }
            guard let frame = try play.bridge.nextOrEnd() else { return nil }
            guard frame.header.id == id else { continue }
            switch frame.header.kind {
            case .credit:
                var reader = ByteReader(frame.payload)
                window += Int(try reader.read(UInt32.self))
            case .reply, .error: return frame
            case _: continue
            }
        }
    }

    private func titles(_ play: Play) throws -> Set<String> {
        Set(try play.answer(#"{"op":"list"}"#).compactMap { $0["title"] as? String })
    }

    private func answered(_ text: String, _ play: Play) throws {
        let (id, _, turn) = try play.handOver(text)
        try play.agent.tell(turn, .turnStarted(), to: play.bridge)
        try play.agent.tell(turn, .turnEnded(.done), to: play.bridge)
        try play.until("the end") { $0.client.types(id).contains("ended") }
    }

    /// The answer is there before anything is asked of nexusd, which ends the process; else it does so itself.
    @Test(arguments: [true, false]) func restored_theProcessEndsInOrderAndTheNextOneHasIt(granted: Bool) throws {
        let play = try Play()
        try answered("one", play)
        let bytes = try backup(play)
        try answered("two", play)
        let frame = try #require(try restore(bytes, play))
        #expect(frame.header.kind == .reply)
        let answer = try JSONSerialization.jsonObject(with: Data(frame.payload)) as? [String: Any]
        #expect(answer?["sessions"] as? Int == 1)
        #expect((answer?["kept"] as? String)?.contains("chat.sqlite.before-restore-") == true)
        try nexusd(granted, play)
        #expect(play.bridge.wait() == 0)
        try play.restart()
        #expect(try titles(play) == ["one"])
        for isFirst in [true, false] {
            let said = try play.answer(#"{"op":"describe"}"#)[0]["restore"] as? [String: Any]
            #expect(said?["kept"] as? String == (isFirst ? answer?["kept"] as? String : nil))
            try play.restart()
        }
    }

    /// Answers the request for a new run. Until that comes nobody is told of conversations that are to be read anew.
    private func nexusd(_ granted: Bool, _ play: Play) throws {
        var asked = try play.bridge.next()
        while asked.header.kind != .request || asked.header.peer != .nexusd { asked = try play.bridge.next() }
        #expect(String(decoding: asked.payload, as: UTF8.self) == "restart child:chat-bridge --no-wait")
        guard granted else {
            let why = Array(#"{"code":"refused","message":"a test"}"#.utf8)
            return play.bridge.write(Frame(.error, peer: .nexusd, id: asked.header.id, payload: why))
        }
        let id = play.bridge.ask(#"{"op":"list"}"#)
        var answer = try play.bridge.next()
        while answer.header.id != id { answer = try play.bridge.next() }
        #expect(answer.header.kind == .error)
        #expect(String(decoding: answer.payload, as: UTF8.self).contains(#""unavailable""#))
        let accepted = Array(#"{"outcome":"accepted"}"#.utf8)
        play.bridge.write(Frame(.reply, peer: .nexusd, id: asked.header.id, payload: accepted))
        play.bridge.write(Frame(.drain, peer: .nexusd, id: .none, payload: []))
    }

    @Test func killedAtAnyPointOfARestore_oneOfTheTwoIsWhole() throws {
        let seed = Chance.seed()
        var random = SplitMix(seed: seed)
        let play = try Play()
        try answered("one", play)
        let bytes = try backup(play)
        try answered("two", play)
        let rounds = ProcessInfo.processInfo.environment["NEXUS_LONG"] == "1" ? 300 : 15
        var restored = 0
        for round in 0..<rounds {
            let instant = Int.random(in: 0..<500_000, using: &random)
            _ = try? restore(bytes, play, killAfter: instant)
            play.bridge.wait()
            try play.restart()
            let found = try titles(play)
            let said = try play.answer(#"{"op":"describe"}"#)[0]["restore"] as? [String: Any]
            let kept = said?["kept"] as? String
            #expect((kept != nil) == (found == ["one"]), "seed \(seed), round \(round), \(instant) µs: \(said ?? [:])")
            if let kept { #expect(FileManager.default.fileExists(atPath: kept)) }
            #expect(found == ["one"] || found == ["one", "two"], "seed \(seed), round \(round), \(instant) µs")
            let names = try FileManager.default.contentsOfDirectory(atPath: play.directory)
            #expect(names.count { $0.contains("partial") || $0.contains("damaged") } == 0, "\(names)")
            if found == ["one"] {
                restored += 1
                try answered("two", play)
            }
        }
        print("killed \(rounds) restores, \(restored) had been carried out; seed \(seed)")
    }

    @Test func backupThatIsKilled_leavesNothing() throws {
        let play = try Play()
        try answered("one", play)
        for _ in 0..<5 {
            _ = play.bridge.ask(#"{"op":"backup"}"#)
            try play.restart()
            let names = try FileManager.default.contentsOfDirectory(atPath: play.directory)
            let own = ["chat.sqlite", "chat.sqlite-wal", "chat.sqlite-shm", "attachments", "begun"]
            #expect(names.allSatisfy(own.contains), "\(names)")
        }
        #expect(try titles(play) == ["one"])
    }
}
