import Foundation
import GRDB
import Glibc
import Testing

@testable import Chat

/// The store's file system takes no write: it is waited for in words, and nothing crashes.
@Suite(.timeLimit(.minutes(2)), .serialized)
struct ReadOnlyStoreTests {
    /// A file system of the test's own in the place of a directory; nil without the right to mount one.
    private final class Disk {
        let place: String

        init?(_ place: String) throws {
            self.place = place
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            guard mount("nexus-test", place, "tmpfs", 0, "size=16m,mode=700") == 0 else {
                print("SKIPPED: a read-only file system needs the right to mount one (errno \(errno))")
                return nil
            }
        }

        deinit { umount2(place, Int32(MNT_DETACH)) }

        func remount(isReadOnly: Bool) throws {
            let flags = UInt(MS_REMOUNT) | (isReadOnly ? UInt(MS_RDONLY) : 0)
            try #require(mount("nexus-test", place, "tmpfs", flags, "size=16m") == 0, "errno \(errno)")
        }
    }

    /// An ext4 of the test's own on a loop device; nil without the right to one.
    private final class LoopDisk {
        let place: String
        private var image: String { place + ".image" }

        init?(_ place: String) throws {
            self.place = place
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            _ = FileManager.default.createFile(atPath: image, contents: nil)
            let size = truncate(image, 32 << 20)
            try #require(size == 0, "errno \(errno)")
            let made = try run("mkfs.ext4", "-q", "-F", image)
            let mounted = try run("mount", "-o", "loop", image, place)
            guard made == 0, mounted == 0 else {
                print("SKIPPED: a disk that breaks needs ext4, a loop device and root")
                return nil
            }
            chmod(place, 0o700)
        }

        deinit {
            umount2(place, Int32(MNT_DETACH))
            unlink(image)
        }

        private func run(_ words: String...) throws -> Int32 {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
            process.arguments = words
            (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus
        }

        /// As after an error of the disk: no write is taken any more, also not by files that are open.
        func fail() throws {
            let status = try run("mount", "-o", "remount,abort", place)
            try #require(status == 0)
        }

        /// As its owner does then; nothing of it may be open.
        func mend() throws {
            let left = try run("umount", place)
            let checked = try run("fsck.ext4", "-f", "-y", image)
            let mounted = try run("mount", "-o", "loop", image, place)
            // 1: what was wrong is mended.
            try #require(left == 0 && checked <= 1 && mounted == 0, "\(left) \(checked) \(mounted)")
        }

        /// Files that are open take no write; of the whole disk nobody can say so while some are (EBUSY).
        func freeze(_ paths: [String], _ isFrozen: Bool) throws {
            for path in paths {
                let status = try run("chattr", isFrozen ? "+i" : "-i", path)
                try #require(status == 0, "\(path)")
            }
        }
    }

    private func place() -> String { FileManager.default.temporaryDirectory.path + "/nexus-ro-\(UUID().uuidString)" }

    @Test(arguments: [true, false])
    func startOnAReadOnlyFileSystem_waitsInWords_andServesThen(hasStore: Bool) throws {
        let place = place()
        guard let disk = try Disk(place) else { return }
        if hasStore {
            let first = try Play(directory: place + "/chat")
            try #require(try first.answer(#"{"op":"list"}"#).isEmpty)
            first.bridge.kill()
            try disk.remount(isReadOnly: true)
            try first.restart()
            try expectWaiting(first, disk)
        } else {
            try disk.remount(isReadOnly: true)
            try expectWaiting(try Play(directory: place + "/chat"), disk)
        }
    }

    /// While it runs: the kernel does that when it finds errors, also under files that are open.
    @Test func troubleOnAReadOnlyFileSystem_isSaidAsThat() throws {
        guard let disk = try Disk(place()) else { return }
        let path = disk.place + "/chat.sqlite"
        let codes: [ResultCode] = [.SQLITE_IOERR_WRITE, .SQLITE_READONLY, .SQLITE_CANTOPEN]
        let words = { codes.map { StoreFailure.words(DatabaseError(resultCode: $0), path: path) } }
        #expect(words().allSatisfy { !$0.contains("mounted read-only") })
        try disk.remount(isReadOnly: true)
        #expect(words().allSatisfy { $0.contains("mounted read-only") })
        #expect(codes.allSatisfy { StoreFailure.isPassing(DatabaseError(resultCode: $0)) })
    }

    /// The kernel finds errors while the agent answers; its owner mends the disk.
    @Test func diskThatBecomesReadOnly_refusesInWords_andLosesNothing() throws {
        guard let disk = try LoopDisk(place()) else { return }
        let play = try Play(directory: disk.place + "/chat")
        let (id, session, turn) = try play.handOver("tell me")
        try play.agent.tell(turn, .turnStarted(), .textDelta(block: "b", text: "it begins "), to: play.bridge)
        try play.until("the first words") { $0.client.types(id).contains("text") }
        while try !play.answer(#"{"op":"history","session":"\#(session)"}"#).contains(where: {
            $0["text"] as? String == "it begins "
        }) {}
        let waits = play.send("waits", session: session)
        try play.until("what waits") { $0.client.types(waits).contains("accepted") }
        try disk.fail()
        let refused = play.send("refused", session: session)
        try play.until("the refusal") { $0.client.finished.contains(refused) }
        let words = play.client.words[refused] ?? ""
        #expect(words.contains("the message is not stored") && words.contains("read-only"), "\(words)")
        try play.until("the status line") { $0.bridge.statusLine.contains("read-only") }
        try play.agent.tell(turn, .textDelta(block: "b", text: "and ends"), .turnEnded(.done), to: play.bridge)
        try play.until("words about the end") { play in
            play.client.events[id]?.contains { ($0["text"] as? String)?.contains("read-only") == true } == true
        }
        #expect(!play.client.types(id).contains("ended"))
        // What was said before can be read.
        #expect(try play.states(session) == ["running", "queued"])
        play.bridge.kill()
        try disk.mend()
        try play.restart()
        try play.until("what waited at the agent") { $0.agent.turns.count == 1 }
        #expect(play.agent.turns[0].text == "waits")
        #expect(try play.states(session) == ["interrupted", "running"])
        let history = try play.answer(#"{"op":"history","session":"\#(session)"}"#)
        #expect(history.contains { $0["text"] as? String == "it begins " })
        #expect(!history.contains { $0["text"] as? String == "refused" })
    }

    /// The same where it passes: nobody has to do anything about chat-bridge.
    @Test func filesThatTakeNoWriteForAWhile_areWaitedFor_andItGoesOnByItself() throws {
        guard let disk = try LoopDisk(place()) else { return }
        let play = try Play(directory: disk.place + "/chat")
        let (id, session, turn) = try play.handOver("tell me")
        try play.agent.tell(turn, .turnStarted(), to: play.bridge)
        try play.until("its start") { $0.client.types(id).contains("started") }
        let files = ["", "-wal"].map { play.directory + "/chat.sqlite" + $0 }
        try disk.freeze(files, true)
        let refused = play.send("refused", session: session)
        try play.until("the refusal") { $0.client.finished.contains(refused) }
        #expect(play.client.words[refused]?.contains("the message is not stored") == true)
        try play.agent.tell(turn, .textDelta(block: "b", text: "all of it"), .turnEnded(.done), to: play.bridge)
        try play.until("words about the end") { play in
            play.client.events[id]?.contains { ($0["text"] as? String)?.contains("Your message is stored") == true }
                == true
        }
        try disk.freeze(files, false)
        try play.until("the end") { $0.client.finished.contains(id) }
        #expect(
            try play.answer(#"{"op":"history","session":"\#(session)"}"#).contains {
                $0["text"] as? String == "all of it"
            })
        try play.until("the status line without it") { !$0.bridge.statusLine.contains("gives errors") }
        let (_, _, next) = try play.handOver("after", session: session)
        #expect(next.text == "after")
        #expect(try play.states(session).last == "running")
    }

    private func expectWaiting(_ play: Play, _ disk: Disk) throws {
        #expect(play.bridge.statusLine.contains("read-only"), "\(play.bridge.statusLine)")
        let refused = play.bridge.ask(#"{"op":"list"}"#)
        try play.until("words") { $0.client.words[refused]?.contains("tried again every 5 s") == true }
        #expect(play.client.failures[refused] == "unavailable")
        try disk.remount(isReadOnly: false)
        try play.until("the chat") { $0.bridge.statusLine.contains("the agent takes turns") }
        #expect(try play.answer(#"{"op":"list"}"#).isEmpty)
    }
}
