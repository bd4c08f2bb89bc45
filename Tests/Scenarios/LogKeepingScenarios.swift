import Foundation
import Testing

/// What `[log]` keeps, for how long and in which form; and in which order it is read back.
@Suite(.timeLimit(.minutes(2))) struct LogKeepingScenarios {
    private func files(_ box: Box, _ child: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(box.state)/logs/\(child)")) ?? []).sorted()
    }

    private func bytes(_ box: Box) throws -> Int {
        let all = try #require(FileManager.default.enumerator(atPath: box.state + "/logs"))
        return all.reduce(0) { sum, name in
            let facts = try? FileManager.default.attributesOfItem(atPath: "\(box.state)/logs/\(name)")
            return sum + (facts?[.type] as? FileAttributeType == .typeRegular ? facts?[.size] as? Int ?? 0 : 0)
        }
    }

    /// The numbers behind `line `, in the order of the output, of one child.
    private func numbers(_ output: String, _ child: String) -> [Int] {
        output.split(separator: "\n").compactMap { line in
            line.firstRange(of: " \(child): line ").flatMap { Int(line[$0.upperBound...].prefix { $0.isNumber }) }
        }
    }

    /// `nexusctl logs` gives its lines by time, whoever said them.
    private func expectOrder(_ output: String, _ how: String) {
        // Whose log has no word yet is said among them, by nexusctl and without a time.
        let lines = output.split(separator: "\n").filter { !$0.hasPrefix("nexusctl: ") }
        let wrong = zip(lines, lines.dropFirst()).first { line, next in
            line.prefix { $0 != " " } > next.prefix { $0 != " " }
        }
        #expect(wrong.map { "\($0) stands before \($1)" } == nil, "\(how)")
    }

    @Test func total_isKept_byTheOldestFilesOfWhoHasMost_andSaid() throws {
        let box = try Box(
            """
            [log]
            size = "64KiB"
            files = 1000
            total = "1MB"
            [child.quiet]
            command = ["FIXTURE", "lines", "3"]
            [child.loud]
            command = ["FIXTURE", "2049-byte-writes", "1500"]
            requires = ["quiet"]
            """)
        try box.start()
        try box.waitLog("loud", "line 1499 ")
        // Three times as much was said; beside the total there is room for what was written since the last look.
        let (sum, loud) = (try bytes(box), try box.ctl("logs", "loud", "-n", "100000").output)
        #expect(sum <= 1_000_000 + 65_536, "\(sum) bytes")
        let kept = numbers(loud, "loud")
        #expect(kept.count > 300 && kept == Array(1500 - kept.count..<1500), "the newest, without a gap: \(kept)")
        #expect(numbers(try box.ctl("logs", "quiet").output, "quiet") == [0, 1, 2])
        #expect(files(box, "loud").filter { $0.hasSuffix(".log") }.count > 5)
        let events = try box.ctl("events", "-n", "1000").output
        #expect(events.contains("of loud"), "\(events)")
        #expect(box.stop() == 0)
    }

    @Test func oldFiles_areCompressedByZstd_andReadAsIfTheyWereNot_inOneOrder() throws {
        let box = try Box(
            """
            [log]
            size = "64KiB"
            files = 1000
            compress = true
            [child.left]
            command = ["FIXTURE", "lines", "6000", "20"]
            [child.right]
            command = ["FIXTURE", "lines", "6000", "20"]
            """)
        try box.start()
        try box.waitLog("left", "line 5999\n")
        try box.waitLog("right", "line 5999\n")
        try box.wait("all rotated files but the youngest to be compressed") { _ in
            ["left", "right"].allSatisfy { child in
                let names = files(box, child)
                return names.filter { $0.hasSuffix(".zst") }.count >= 2
                    && names.filter { $0.hasSuffix(".log") }.count <= 1
            }
        }
        let name = try #require(files(box, "left").first { $0.hasSuffix(".zst") })
        let plain = try run("/usr/bin/zstd", ["-dc", "\(box.state)/logs/left/\(name)"]).output
        #expect(plain.contains(" O6- line 0\n"))
        let both = try box.ctl("logs", "left", "right", "-n", "100000").output
        expectOrder(both, "both")
        for child in ["left", "right"] { #expect(numbers(both, child) == Array(0..<6000)) }
        // They spoke at the same time, and are not read one after the other.
        let speakers = both.split(separator: "\n").map { $0.contains(" left: ") }
        #expect(zip(speakers, speakers.dropFirst()).filter { $0 != $1 }.count > 10)
        #expect(box.stop() == 0)
    }

    /// Two that speak by turns, each when it is told to and when the other's line was seen.
    @Test func twoByTurns_areReadInTheirOrder_liveAndAfterwards() throws {
        let turns = 30
        let box = try Box(
            ["left", "right"].map { name in
                """
                [child.\(name)]
                command = ["/bin/sh", "-c", "while read -r line; do echo \\"line $line\\"; done < DIR/\(name)"]
                """
            }.joined(separator: "\n"))
        var pipes: [FileHandle] = []
        for name in ["left", "right"] {
            let path = "\(box.directory)/\(name)"
            guard mkfifo(path, 0o600) == 0 else { throw Trouble("mkfifo \(path): errno \(errno)") }
            // Both ways, so that opening waits for nobody and nobody reads its end.
            pipes.append(FileHandle(fileDescriptor: open(path, O_RDWR | O_CLOEXEC), closeOnDealloc: true))
        }
        try box.start()
        try box.waitReady()
        let feed = try EventFeed(box: box, ["logs", "left", "right", "-f", "-n", "1000"])
        defer { feed.end() }
        var live = ""
        for turn in 0..<turns {
            try pipes[turn % 2].write(contentsOf: Data("\(turn)\n".utf8))
            while !live.contains(": line \(turn)\n") {
                let more = feed.next(within: .seconds(30))
                guard !more.isEmpty else { throw Trouble("turn \(turn) is not told: \(live)") }
                live += more
            }
        }
        let expected = (0..<turns).map { "\($0 % 2 == 0 ? "left" : "right"): line \($0)" }
        let read = try box.ctl("logs", "left", "right", "-n", "1000").output
        for (text, how) in [(live, "live"), (read, "read afterwards"), (try box.ctl("logs").output, "with all others")]
        {
            let said = text.split(separator: "\n").map { String($0.split(separator: " ", maxSplits: 1).last ?? "") }
            #expect(said.filter { $0.contains(": line ") } == expected, "\(how)")
            expectOrder(text, how)
        }
        #expect(box.stop() == 0)
    }

    /// What earlier lives left behind grows old while the machine is off, and while it is on.
    @Test func maxAge_rotatesWhatIsOld_andRemovesWhatIsTooOld() throws {
        let box = try Box(
            """
            [log]
            max-age = "1min"
            [child.quiet]
            command = ["FIXTURE", "lines", "3"]
            """)
        func stamp(_ format: String, secondsAgo: Double) -> String {
            let formatter = DateFormatter()
            (formatter.locale, formatter.timeZone) = (Locale(identifier: "en_US_POSIX"), TimeZone(identifier: "UTC"))
            formatter.dateFormat = format
            return formatter.string(from: Date(timeIntervalSinceNow: -secondsAgo))
        }
        func rotated(_ secondsAgo: Double) -> String {
            "@\(stamp("yyyyMMdd'T'HHmmss", secondsAgo: secondsAgo)).000000Z.log"
        }
        func entry(_ secondsAgo: Double, _ text: String) -> Data {
            Data("\(stamp("yyyy-MM-dd'T'HH:mm:ss", secondsAgo: secondsAgo)).000000Z 6743f2a1-17 O6- \(text)\n".utf8)
        }
        let folder = box.state + "/logs/quiet/"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let (dead, dying) = (rotated(90), rotated(57))
        try entry(95, "dead").write(to: URL(fileURLWithPath: folder + dead))
        try entry(58, "dying").write(to: URL(fileURLWithPath: folder + dying))
        try entry(30, "half").write(to: URL(fileURLWithPath: folder + "current"))
        try box.start()
        try box.waitReady()
        // At the start: a tenth of the age is enough to be rotated, all of it to be removed.
        try box.wait("the first look") { _ in !files(box, "quiet").contains(dead) }
        try box.waitLog("quiet", "quiet: half", "quiet: line 2")
        let half = files(box, "quiet").filter { $0.hasPrefix("@") && $0 != dying }
        #expect(half.count == 1)
        #expect(try String(contentsOfFile: folder + (half.first ?? ""), encoding: .utf8).hasSuffix(" half\n"))
        // Six seconds later: by a timer, for nobody says anything any more.
        try box.wait("the next look") { _ in !files(box, "quiet").contains(dying) }
        #expect(try box.ctl("logs", "quiet").output.contains("quiet: line 2"))
        #expect(box.stop() == 0)
    }
}
