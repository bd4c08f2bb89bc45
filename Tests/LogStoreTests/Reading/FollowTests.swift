import Chance
import Synchronization
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import LogStore

/// Following: what comes while one reads.
@Suite("Following", .serialized, .timeLimit(.minutes(1))) struct FollowTests {
    private let kernel = LiveKernel()
    private let home = TemporaryDirectory()
    private let run = RunID(second: 1, count: 1)

    private func entry(_ stamp: WallStamp, _ text: String) -> [UInt8] {
        EntryFormat.entry(stamp, run, .child(.stdout), .info, text: text)
    }

    private var now: WallStamp { WallStamp(nanoseconds: kernel.wallClock()) }

    private func file(_ child: String, files: Int = 100) -> LogFile {
        LogFile(
            kernel, directory: home.path + "/" + child, rotation: Rotation(fileBytes: 65_536, files: UInt16(files)))
    }

    private func append(_ file: LogFile, _ bytes: [UInt8]) throws {
        var offset = 0
        try bytes.withUnsafeBytes { try file.append($0, from: &offset) }
    }

    private func texts(of session: LogSession) -> [String] {
        var texts: [String] = []
        session.read {
            texts.append($0.text)
            return true
        }
        return texts
    }

    /// Waits and reads until so many entries came.
    private func follow(_ session: LogSession, until count: Int) throws -> [String] {
        var found: [String] = []
        let end = kernel.monotonic() + .seconds(20)
        while found.count < count, kernel.monotonic() < end {
            try session.wait()
            found += texts(of: session)
        }
        return found
    }

    @Test func line_endsTheWait() throws {
        let web = file("web")
        try append(web, entry(now, "old"))
        let session = try LogReader(directory: home.path).open(["web"])
        #expect(texts(of: session) == ["old"])
        try session.wait()  // the first call begins to watch
        #expect(texts(of: session) == [])
        try NativeThread.start("writer") { [path = home.path + "/web/current", run] in
            let kernel = LiveKernel()
            guard let fd = try? kernel.open(path, [.writeOnly, .append], mode: 0) else { return }
            let stamp = WallStamp(nanoseconds: kernel.wallClock())
            try? kernel.writeAll(fd, EntryFormat.entry(stamp, run, .child(.stdout), .info, text: "new"))
        }
        #expect(try follow(session, until: 1) == ["new"])
    }

    @Test func lineWithoutAnEnd_isShownAsItIs_andGoesOn() throws {
        func partial(_ text: String) -> [UInt8] {
            var bytes = entry(now, text)
            bytes[bytes.count - text.utf8.count - 1 - EntryFormat.flagFromEnd] = EntryFormat.partial
            return bytes
        }
        let web = file("web")
        try append(web, entry(now, "old") + partial("password: "))
        let session = try LogReader(directory: home.path).open(["web"], LogQuery(last: 1))
        func shown() -> [String] {
            var shown: [String] = []
            session.read(showingUnfinished: true) {
                shown.append(($0.isContinuation ? "…" : "") + $0.text + ($0.isPartial ? "+" : ""))
                return true
            }
            return shown
        }
        #expect(shown() == ["password: +"], "it is the last line")
        #expect(shown() == [])
        try append(web, partial("se"))
        #expect(shown() == ["…se+"])
        try append(web, entry(now, "cret") + entry(now, "next"))
        #expect(shown() == ["…cret", "next"])
        let picky = try LogReader(directory: home.path).open(["web"], LogQuery(pattern: LogPattern(text: "word: sec")))
        #expect(texts(of: picky) == ["password: secret"], "whole lines are searched")
    }

    @Test func childThatBeginsLater_isPickedUpByTheWait() throws {
        try append(file("web"), entry(now, "old"))
        let session = try LogReader(directory: home.path).open(nil, LogQuery(last: 0))
        _ = texts(of: session)
        try session.wait()
        let late = file("late")
        try append(late, entry(now, "first"))
        #expect(try follow(session, until: 1) == ["first"])
        try append(late, entry(now, "second"))
        #expect(try follow(session, until: 1) == ["second"])
        let named = try LogReader(directory: home.path).open(["later"])
        _ = texts(of: named)
        try named.wait()
        try append(file("later"), entry(now, "named"))
        #expect(try follow(named, until: 1) == ["named"])
    }

    @Test func linesOfTwoChildren_comeInTheOrderOfTheirStamps() throws {
        let (web, db) = (file("web"), file("db"))
        try append(web, entry(now, "old"))
        try append(db, entry(now, "old"))
        let session = try LogReader(directory: home.path).open(nil, LogQuery(last: 0))
        _ = texts(of: session)
        try session.wait()
        let (first, second) = (now, WallStamp(microseconds: now.microseconds + 1))
        try append(db, entry(second, "second"))
        #expect(texts(of: session) == [], "an older one may come still")
        try append(web, entry(first, "first"))
        #expect(try follow(session, until: 2) == ["first", "second"])
        try append(db, entry(WallStamp(microseconds: now.microseconds + 3_600_000_000), "clock was set"))
        #expect(try follow(session, until: 1) == ["clock was set"], "the future is not waited for")
    }

    @Test func rotationAndRemoval_neitherDoubleNorLoseWhatIsThere() throws {
        let seed = Chance.seed()
        var random = SplitMix(seed: seed)
        let web = file("web", files: 1)
        try append(web, entry(now, "old"))
        let session = try LogReader(directory: home.path).open(["web"], LogQuery(last: 0))
        _ = texts(of: session)
        var seen: [String] = []
        for number in 0..<20_000 {
            try append(web, entry(now, "\(number)"))
            // At most two rotations between two looks: what is removed by then cannot be shown.
            if number % 700 == 0 || Int.random(in: 0..<1000, using: &random) == 0 { seen += texts(of: session) }
        }
        seen += texts(of: session)
        #expect(seen == (0..<20_000).map(String.init))
    }

    @Test(.enabled(if: Program.zstd != nil, "zstd is not installed"))
    func compressionUnderAFollower_changesNothing() throws {
        let web = file("web")
        var housekeeping = Housekeeping(kernel, directory: home.path, retention: Retention(compressor: Program.zstd))
        var files: [String: LogFile] = [:]
        try append(web, entry(now, "old"))
        let session = try LogReader(directory: home.path).open(["web"], LogQuery(last: 0))
        _ = texts(of: session)
        var seen: [String] = []
        for number in 0..<12_000 {
            try append(web, entry(now, "\(number)"))
            if web.hasRotated {
                web.hasRotated = false
                housekeeping.rotated("web")
            }
            _ = housekeeping.work(files: &files)
            while number % 500 == 0, let request = housekeeping.request {
                var requests = [request]
                try kernel.wait(for: &requests, atMost: .seconds(20))
                _ = housekeeping.work(files: &files)
            }
            if number % 3000 == 0 { seen += texts(of: session) }
        }
        seen += texts(of: session)
        #expect(seen == (0..<12_000).map(String.init))
        while let request = housekeeping.request {
            var requests = [request]
            try kernel.wait(for: &requests, atMost: .seconds(20))
            _ = housekeeping.work(files: &files)
        }
        let names = try kernel.list(home.path + "/web")
        #expect(names.count { $0.hasSuffix(".zst") } > 3 && !names.contains { $0.hasSuffix(".new") }, "\(names)")
        let all = try LogReader(directory: home.path).open(["web"])
        #expect(texts(of: all) == ["old"] + (0..<12_000).map(String.init), "and it is all there still")
        #expect(all.unreadable.isEmpty)
        let last = try LogReader(directory: home.path).open(["web"], LogQuery(last: 11_000))
        #expect(texts(of: last) == (1000..<12_000).map(String.init), "read backwards through compressed files")
    }

    @Test func damagedCompressedFile_isNamed() throws {
        try append(file("web"), entry(now, "new"))
        let path = home.path + "/web/" + LogFileName.rotated(at: WallStamp(microseconds: 1_000_000)) + ".zst"
        try kernel.replaceFile(path, with: [1, 2, 3, 4, 5], mode: 0o640)
        let session = try LogReader(directory: home.path).open(["web"])
        #expect(texts(of: session) == ["new"])
        #expect(session.unreadable.map(\.path) == [String(path.dropLast(4))])
    }
}
