import Foundation
import Plan
import Testing

@testable import NexusConfiguration

/// Files/bad/NAME.toml must be refused with exactly Files/bad/NAME.expected, Files/good/NAME.toml accepted with exactly
/// the notes of NAME.expected. Names that begin with `root-` are read as root. To write the expectations anew, and then
/// look at the difference: NEXUS_WRITE_EXPECTED=Tests/ConfigurationTests/Files.
@Suite(.timeLimit(.minutes(1))) struct DiagnosticsTests {
    static let files = Bundle.module.resourceURL?.appendingPathComponent("Files")

    static func names(_ folder: String) -> [String] {
        let path = files?.appendingPathComponent(folder).path ?? ""
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.hasSuffix(".toml") }.map { String($0.dropLast(5)) }.sorted()
    }

    @Test(arguments: names("bad")) func badFile_isRefusedWithExactlyTheseWords(name: String) throws {
        let text = try read("bad/\(name).toml")
        let found = host(name).diagnostics(text)
        #expect(!found.isEmpty, "it was accepted")
        try compare(found, "bad/\(name).expected")
        for line in found.split(separator: "\n") where !line.hasPrefix("… and") {
            #expect(line.wholeMatch(of: #/[^:]+:\d+:\d+: error: .+/#) != nil, "\(line)")
        }
    }

    @Test(arguments: names("good")) func goodFile_isAcceptedWithExactlyTheseNotes(name: String) throws {
        let plan = try host(name).parse(read("good/\(name).toml")).plan
        try compare(plan.notes.joined(separator: "\n"), "good/\(name).expected")
        #expect(try Plan(encoded: plan.encoded()) == plan)
    }

    @Test func folder_hasEnoughBadFiles() {
        #expect(Self.names("bad").count >= 40)
    }

    @Test func diagnostics_areBoundedAndSorted() throws {
        let lines = try FakeMachine().diagnostics(read("bad/more-than-twenty.toml")).split(separator: "\n")
        #expect(lines.count == 21)
        #expect(lines.last == "… and 5 more")
        #expect(lines.first?.hasPrefix("Supervisor.toml:3:8:") == true)
    }

    private func host(_ name: String) -> FakeMachine { name.hasPrefix("root-") ? .root : FakeMachine() }

    private func read(_ path: String) throws -> String {
        try String(contentsOf: #require(Self.files).appendingPathComponent(path), encoding: .utf8)
    }

    private func compare(_ found: String, _ path: String) throws {
        if let folder = ProcessInfo.processInfo.environment["NEXUS_WRITE_EXPECTED"] {
            try (found + "\n").write(toFile: "\(folder)/\(path)", atomically: true, encoding: .utf8)
            return
        }
        #expect(found + "\n" == (try? read(path)), "\(path)")
    }
}
