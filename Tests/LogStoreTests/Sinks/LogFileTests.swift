import Chance
import Glibc
import SupervisorCore
import System
import TestSupport
import Testing

@testable import LogStore

@Suite("Files") struct LogFileTests {
    private let kernel = LiveKernel()
    private let home = TemporaryDirectory()

    private func entry(_ number: Int, bytes: Int = 100) -> [UInt8] {
        let text = "\(number) "
        return Array((text + String(repeating: "x", count: bytes - 1 - text.utf8.count) + "\n").utf8)
    }

    private func append(_ file: LogFile, _ bytes: [UInt8]) throws {
        var offset = 0
        try bytes.withUnsafeBytes { try file.append($0, from: &offset) }
        #expect(offset == bytes.count)
    }

    private func content(_ names: [String]) throws -> [String] {
        try names.flatMap { name in
            String(decoding: try kernel.readFile(home.path + "/web/" + name, limit: 1 << 24), as: UTF8.self)
                .split(separator: "\n").map { String($0.prefix { $0 != " " }) }
        }
    }

    private var names: [String] { LogFiles(kernel, directory: home.path + "/web").rotated + [LogFileName.current] }

    @Test func fullFile_isRotatedAtAnEntryAndTheOldestIsRemoved() throws {
        let file = LogFile(kernel, directory: home.path + "/web", rotation: Rotation(fileBytes: 65_536, files: 3))
        for number in 0..<4000 { try append(file, entry(number)) }
        #expect(names.count == 4 && names.last == "current")
        let numbers = try content(names).map { Int($0) }
        #expect(numbers.last == 3999 && numbers.compactMap { $0 }.count == numbers.count)
        #expect(numbers == ((numbers[0] ?? 0)...3999).map { $0 }, "nothing is missing between the files")
        for name in names.dropLast() {
            let size = try kernel.status(home.path + "/web/" + name, followingLinks: false).size
            #expect(size > 65_000 && size <= 65_536)
        }
    }

    @Test func batchAboveTheSizeOfAFile_isSplitAtEntries() throws {
        let file = LogFile(kernel, directory: home.path + "/web", rotation: Rotation(fileBytes: 65_536, files: 100))
        try append(file, (0..<5000).flatMap { entry($0) })
        #expect(try content(names) == (0..<5000).map(String.init))
    }

    @Test func entryAboveTheSizeOfAFile_hasAFileOfItsOwn() throws {
        let file = LogFile(kernel, directory: home.path + "/web", rotation: Rotation(fileBytes: 65_536, files: 100))
        try append(file, entry(0) + entry(1, bytes: 100_000) + entry(2))
        #expect(names.count == 3)
        #expect(try content(names) == ["0", "1", "2"])
    }

    @Test func tornEnd_isCutOffWhenTheFileIsOpened() throws {
        try kernel.ensureDirectory(home.path + "/web")
        try kernel.replaceFile(home.path + "/web/current", with: entry(0) + entry(1).dropLast(), mode: 0o600)
        try append(LogFile(kernel, directory: home.path + "/web", rotation: .ofEvents), entry(2))
        #expect(try content(names) == ["0", "2"])
    }

    @Test func tornEndWithoutAnyEntry_isCutOff() throws {
        try kernel.ensureDirectory(home.path + "/web")
        try kernel.replaceFile(home.path + "/web/current", with: [0x61, 0x62], mode: 0o600)
        try append(LogFile(kernel, directory: home.path + "/web", rotation: .ofEvents), entry(2))
        #expect(try content(names) == ["2"])
    }

    /// Eight gigabytes without a line end, left by another hand: read to the start they took minutes, and as much memory.
    @Test func currentWithoutALine_isKeptAside_andOnlyItsEndIsLookedAt() throws {
        let counting = FaultyKernel()
        try kernel.ensureDirectory(home.path + "/web")
        let zeros = try kernel.open(home.path + "/web/current", [.readWrite, .create], mode: 0o600)
        try kernel.truncate(zeros, to: 8 << 30)
        try append(LogFile(counting, directory: home.path + "/web", rotation: .ofEvents), entry(2))
        #expect(names.count == 2)
        #expect(try kernel.status(zeros).size == 8 << 30, "it is not cut")
        #expect(try kernel.readFile(home.path + "/web/current", limit: 1 << 20) == entry(2))
        #expect(counting.counts[.readAt] ?? 0 < 30)
    }

    @Test func tornEndBehindWhatIsNoLine_isCutOffAtTheLastLineEnd() throws {
        try kernel.ensureDirectory(home.path + "/web")
        let path = home.path + "/web/current"
        let endless = [UInt8](repeating: 0, count: 2 * BackwardLines.lineLimit) + [0x0A]
        try kernel.replaceFile(path, with: endless + [0x61, 0x62], mode: 0o600)
        try append(LogFile(kernel, directory: home.path + "/web", rotation: .ofEvents), entry(2))
        let isSame = try kernel.readFile(path, limit: 1 << 24) == endless + entry(2)
        #expect(isSame)
    }

    /// As an owner does who makes room.
    @Test(arguments: [true, false]) func currentThatIsTakenAway_isMadeAnew_andSaysSo(removed: Bool) throws {
        let path = home.path + "/web/current"
        let file = LogFile(kernel, directory: home.path + "/web", rotation: .ofEvents)
        try append(file, entry(1))
        if removed {
            try kernel.removeFile(path)
            try kernel.removeDirectory(home.path + "/web")
        } else {
            try kernel.rename(path, to: home.path + "/kept")
        }
        let begun = kernel.monotonic()
        while (try? kernel.status(path, followingLinks: false)) == nil {
            try append(file, entry(2))
            guard kernel.monotonic() - begun < LogFile.lookPause + .seconds(30) else { break }
            usleep(10_000)
        }
        let text = String(decoding: try kernel.readFile(path, limit: 1 << 20), as: UTF8.self)
        #expect(
            text.contains("was removed or renamed by another hand")
                && text.hasSuffix(String(decoding: entry(2), as: UTF8.self)))
        if !removed { #expect(try kernel.readFile(home.path + "/kept", limit: 1 << 24).starts(with: entry(1))) }
    }

    @Test func anyFailedCall_leavesWholeEntriesAndLosesNothing() throws {
        let met = try FaultyKernel.sweep(Errno(rawValue: 28)) { faulty in
            let home = TemporaryDirectory()
            let file = LogFile(faulty, directory: home.path + "/web", rotation: Rotation(fileBytes: 65_536, files: 9))
            let entries = (0..<1500).flatMap { entry($0) }
            var offset = 0
            var tries = 0
            while offset < entries.count, tries < 3 {
                tries += 1
                do { try entries.withUnsafeBytes { try file.append($0, from: &offset) } } catch {}
            }
            #expect(offset == entries.count)
            let web = home.path + "/web/"
            let paths = (LogFiles(kernel, directory: web).rotated + [LogFileName.current]).map { web + $0 }
            let content = try paths.flatMap { try kernel.readFile($0, limit: 1 << 24) }
            let isSame = content == entries
            #expect(isSame, "\(content.count) of \(entries.count) bytes")
        }
        #expect(met > 8)
    }

    @Test func modes_areForTheGroupWhateverTheUmask() throws {
        try append(LogFile(kernel, directory: home.path + "/web", rotation: .ofEvents), entry(2))
        #expect(try kernel.status(home.path + "/web", followingLinks: false).mode & 0o777 == 0o750)
        #expect(try kernel.status(home.path + "/web/current", followingLinks: false).mode & 0o777 == 0o640)
    }

    @Test func linesFromTheEnd_areThoseFromTheStartReversed() throws {
        let seed = Chance.seed()
        var random = SplitMix(seed: seed)
        let path = home.path + "/file"
        for _ in 0..<40 {
            let lines = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                [UInt8](repeating: 0x61, count: Int.random(in: 0...6000, using: &random))
            }
            let torn = [UInt8](repeating: 0x62, count: Int.random(in: 0...3, using: &random))
            try kernel.replaceFile(path, with: lines.flatMap { $0 + [0x0A] } + torn, mode: 0o600)
            var backward = try BackwardLines(kernel, kernel.open(path, .readOnly, mode: 0))
            var found: [[UInt8]] = []
            var starts: [Int64] = []
            while let line = try backward.next() {
                found.append(line)
                starts.append(backward.offset)
            }
            #expect(found.reversed() == lines)
            #expect(starts.last ?? 0 == 0)
        }
    }
}
