import Foundation
import GRDB
import Glibc
import Testing

@testable import Chat

/// The store's file system takes no write: it is waited for in words, and nothing crashes.
@Suite(.timeLimit(.minutes(1)), .serialized)
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
