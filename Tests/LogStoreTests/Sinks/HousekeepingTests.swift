import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import LogStore

@Suite("Old files", .serialized, .timeLimit(.minutes(1))) struct HousekeepingTests {
    private let kernel = LiveKernel()
    private let home = TemporaryDirectory()
    private let day: Int64 = 86_400_000_000

    private func names(_ child: String) -> [String] {
        ((try? kernel.list(home.path + "/" + child)) ?? []).sorted()
    }

    private func entry(_ stamp: WallStamp, bytes: Int = 1000) -> [UInt8] {
        let text = String(repeating: "x", count: bytes - 37)
        return EntryFormat.entry(stamp, RunID(second: 1, count: 1), .child(.stdout), .info, text: text)
    }

    /// A file of one entry, rotated so long ago.
    private func rotated(_ child: String, daysAgo: Int64, bytes: Int = 1000) throws -> String {
        let stamp = WallStamp(microseconds: kernel.wallClock() / 1000 - daysAgo * day)
        let name = LogFileName.rotated(at: stamp)
        try? kernel.makeDirectory(home.path + "/" + child, mode: 0o750)
        try kernel.replaceFile(home.path + "/" + child + "/" + name, with: entry(stamp, bytes: bytes), mode: 0o640)
        return name
    }

    private func current(_ child: String, daysAgo: Int64, bytes: Int = 1000) throws {
        try? kernel.makeDirectory(home.path + "/" + child, mode: 0o750)
        let stamp = WallStamp(microseconds: kernel.wallClock() / 1000 - daysAgo * day)
        try kernel.replaceFile(home.path + "/" + child + "/current", with: entry(stamp, bytes: bytes), mode: 0o640)
    }

    private func work(_ housekeeping: inout Housekeeping, _ files: inout [String: LogFile]) -> [LogEvent] {
        housekeeping.work(files: &files)
    }

    @Test func oldFiles_areRemovedAndOldCurrentOnesRotated() throws {
        _ = try rotated("web", daysAgo: 31)
        let kept = try rotated("web", daysAgo: 29)
        try current("web", daysAgo: 4)
        try current("db", daysAgo: 2)
        _ = try rotated("gone", daysAgo: 40)
        try current("gone", daysAgo: 35)
        var files: [String: LogFile] = [:]
        var housekeeping = Housekeeping(
            kernel, directory: home.path, retention: Retention(maxAge: .seconds(30 * 86_400)))
        #expect(housekeeping.dueAt.map { $0 <= kernel.monotonic() } == true)
        #expect(work(&housekeeping, &files).isEmpty)
        #expect(names("web").count == 2 && names("web").first == kept, "rotated, for its line is over 3 days old")
        #expect(names("db") == ["current"])
        #expect(names("gone").count == 1, "what was current is removed 30 days after its rotation")
        #expect(housekeeping.dueAt.map { $0 > kernel.monotonic() + .seconds(3000) } == true, "once an hour at most")
    }

    @Test func removedChild_leavesNoEmptyDirectory() throws {
        _ = try rotated("gone", daysAgo: 40)
        var files: [String: LogFile] = [:]
        var housekeeping = Housekeeping(
            kernel, directory: home.path, retention: Retention(maxAge: .seconds(30 * 86_400)))
        _ = housekeeping.work(files: &files)
        #expect(throws: Errno.noEntry) { try kernel.status(home.path + "/gone", followingLinks: false) }
    }

    @Test func currentFile_isRotatedByAgeWhenItIsOpen() throws {
        let file = LogFile(kernel, directory: home.path + "/web", rotation: Rotation(fileBytes: 1 << 20, files: 9))
        let now = kernel.wallClock() / 1000
        var offset = 0
        try entry(WallStamp(microseconds: now - 2 * day)).withUnsafeBytes { try file.append($0, from: &offset) }
        try file.rotate(before: WallStamp(microseconds: now - 3 * day))
        #expect(names("web") == ["current"])
        try file.rotate(before: WallStamp(microseconds: now - day))
        #expect(names("web").count == 1 && names("web") != ["current"])
        offset = 0
        try entry(WallStamp(microseconds: now)).withUnsafeBytes { try file.append($0, from: &offset) }
        try file.rotate(before: WallStamp(microseconds: now - day))
        #expect(names("web").count == 2 && names("web").contains("current"))
    }

    @Test func total_isKeptByTheOldestFilesOfWhoeverHasTheMost() throws {
        for days in 1...10 { _ = try rotated("loud", daysAgo: Int64(days), bytes: 100_000) }
        for days in 1...3 { _ = try rotated("calm", daysAgo: Int64(days + 20), bytes: 100_000) }
        try current("loud", daysAgo: 0, bytes: 100_000)
        var files: [String: LogFile] = [:]
        var housekeeping = Housekeeping(kernel, directory: home.path, retention: Retention(totalBytes: 1_000_000))
        let events = housekeeping.work(files: &files)
        #expect(names("calm").count == 3, "whoever keeps little keeps it, however old")
        #expect(names("loud").count == 6 && names("loud").contains("current"))
        #expect(events.count == 1 && events[0].message.contains("5 of loud"))
        #expect(work(&housekeeping, &files).isEmpty, "not measured again before much was written")
        _ = try rotated("loud", daysAgo: 0, bytes: 200_000)
        housekeeping.wrote(200_000)
        #expect(work(&housekeeping, &files).count == 1)
    }

    @Test func currentFiles_areNeverRemovedForTheTotal() throws {
        for child in ["a", "b", "c"] { try current(child, daysAgo: 0, bytes: 500_000) }
        let only = try rotated("a", daysAgo: 1)
        var files: [String: LogFile] = [:]
        var housekeeping = Housekeeping(kernel, directory: home.path, retention: Retention(totalBytes: 1_000_000))
        _ = housekeeping.work(files: &files)
        #expect(names("a") == ["current"] && names("b") == ["current"] && names("c") == ["current"], "\(only)")
        #expect(work(&housekeeping, &files).isEmpty, "it does not look again and again")
    }

    // MARK: - Compression

    /// Works until nothing is left to do.
    private func compress(_ housekeeping: inout Housekeeping) throws -> [LogEvent] {
        var files: [String: LogFile] = [:]
        var events = housekeeping.work(files: &files)
        while let request = housekeeping.request {
            var requests = [request]
            try kernel.wait(for: &requests, atMost: .seconds(20))
            #expect(requests[0].isReady)
            events += housekeeping.work(files: &files)
        }
        return events
    }

    @Test(.enabled(if: Program.zstd != nil, "zstd is not installed"))
    func rotatedFiles_areCompressedButTheYoungest() throws {
        let old = try (1...3).map { try rotated("web", daysAgo: Int64(4 - $0), bytes: 50_000) }
        try kernel.replaceFile(home.path + "/web/" + old[0] + ".zst.new", with: [1, 2, 3], mode: 0o600)
        let content = try kernel.readFile(home.path + "/web/" + old[0], limit: 1 << 20)
        var housekeeping = Housekeeping(kernel, directory: home.path, retention: Retention(compressor: Program.zstd))
        housekeeping.rotated("web")
        #expect(try compress(&housekeeping).isEmpty)
        #expect(names("web") == [old[0] + ".zst", old[1] + ".zst", old[2]])
        let status = try kernel.status(home.path + "/web/" + old[0] + ".zst", followingLinks: false)
        #expect(status.size < 5000 && status.mode == 0o640)
        #expect(LogFiles(kernel, directory: home.path + "/web").rotated == old, "names stay the same for whoever reads")
        #expect(content.count == 50_000)
    }

    @Test func compressorThatFails_leavesThePlainFilesAndIsSaidTwice() throws {
        let old = try (1...9).map { try rotated("web", daysAgo: Int64(10 - $0)) }
        var housekeeping = Housekeeping(kernel, directory: home.path, retention: Retention(compressor: "/bin/false"))
        var events: [LogEvent] = []
        for _ in 0..<6 {
            housekeeping.rotated("web")
            events += try compress(&housekeeping)
        }
        #expect(names("web") == old)
        #expect(events.count == 2 && events.last?.message.contains("third time") == true)
    }

    @Test func missingCompressor_changesNothing() throws {
        let old = try (1...3).map { try rotated("web", daysAgo: Int64(4 - $0)) }
        var housekeeping = Housekeeping(kernel, directory: home.path, retention: Retention(compressor: "/no/zstd"))
        housekeeping.rotated("web")
        #expect(try compress(&housekeeping).count == 1)
        #expect(names("web") == old)
    }

    @Test func endOfLogWriter_endsTheCompressorAndLeavesThePlainFile() throws {
        let old = try (1...2).map { try rotated("web", daysAgo: Int64(3 - $0)) }
        try kernel.replaceFile(home.path + "/slow", with: Array("#!/bin/sh\nexec sleep 1000\n".utf8), mode: 0o755)
        var housekeeping = Housekeeping(
            kernel, directory: home.path, retention: Retention(compressor: home.path + "/slow"))
        housekeeping.rotated("web")
        var files: [String: LogFile] = [:]
        #expect(work(&housekeeping, &files).isEmpty && housekeeping.request != nil)
        housekeeping.end()
        #expect(housekeeping.request == nil && names("web") == old)
    }

    @Test(.enabled(if: Program.zstd != nil, "zstd is not installed"))
    func fullDisk_leavesThePlainFile() throws {
        let old = try (1...2).map { try rotated("web", daysAgo: Int64(3 - $0), bytes: 200_000) }
        // zstd that may write nothing: what a full disk looks like to it.
        let words = "#!/bin/sh\nulimit -f 0\nexec \(Program.zstd ?? "") \"$@\"\n"
        try kernel.replaceFile(home.path + "/tight", with: Array(words.utf8), mode: 0o755)
        var housekeeping = Housekeeping(
            kernel, directory: home.path, retention: Retention(compressor: home.path + "/tight"))
        housekeeping.rotated("web")
        #expect(try compress(&housekeeping).count == 1)
        #expect(names("web") == old)
    }
}

/// Programs of the machine.
enum Program {
    /// zstd(1), where log-writer is told to look for it.
    static let zstd = ["/usr/bin/zstd", "/bin/zstd", "/usr/local/bin/zstd"].first {
        (try? LiveKernel().status($0, followingLinks: true)) != nil
    }
}
