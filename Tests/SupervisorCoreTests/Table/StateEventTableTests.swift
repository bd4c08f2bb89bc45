import Foundation
import Testing

/// docs/supervision.md holds the table; NEXUS_REGENERATE=1 writes it anew.
@Suite("The state × event table", .timeLimit(.minutes(1)))
struct StateEventTableTests {
    private static let begin = "<!-- state x event table: written by StateEventTableTests -->\n"
    private static let end = "<!-- end of the table -->\n"

    @Test func documentedTable_isTheOneTheCoreGives() throws {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../docs/supervision.md").standardizedFileURL
        let text = try String(contentsOf: page, encoding: .utf8)
        let head = try #require(text.range(of: Self.begin), "the begin marker is missing")
        let foot = try #require(text.range(of: Self.end), "the end marker is missing")
        let written = String(text[head.upperBound..<foot.lowerBound])
        let table = "\n" + StateEventTable.markdown() + "\n"
        if ProcessInfo.processInfo.environment["NEXUS_REGENERATE"] == "1" {
            let whole = text[..<head.upperBound] + table + text[foot.lowerBound...]
            try String(whole).write(to: page, atomically: true, encoding: .utf8)
            return
        }
        #expect(
            written == table, "docs/supervision.md is behind; NEXUS_REGENERATE=1 swift test --filter StateEventTable")
    }
}
