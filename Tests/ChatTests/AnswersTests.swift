import Foundation
import Testing

/// docs/answers.md against the list of features that it answers, where that lies beside the project.
@Suite(.timeLimit(.minutes(1)))
struct AnswersTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let features = root.deletingLastPathComponent().appendingPathComponent(
        "shared/reference/nexus-features.md")

    /// `of`, wish and answer of each row.
    private func rows() throws -> [(of: [Int], wish: String, answer: String)] {
        let text = try String(contentsOf: Self.root.appendingPathComponent("docs/answers.md"), encoding: .utf8)
        return try text.split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst().map { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            // An empty first cell is one of spaces.
            try #require(cells.count == 3, "\(line)")
            let numbers = cells[0].split(separator: ",").map { Int($0.trimmingCharacters(in: .whitespaces)) }
            try #require(!numbers.contains(nil), "\(line)")
            return (numbers.compactMap { $0 }, cells[1], cells[2])
        }
    }

    @Test func everyWish_hasAnAnswer() throws {
        let rows = try rows()
        #expect(rows.count > 30 && Set(rows.map(\.wish)).count == rows.count)
        #expect(rows.allSatisfy { !$0.wish.isEmpty && $0.answer.count > 10 })
    }

    @Test(
        .enabled(
            if: FileManager.default.fileExists(atPath: features.path), "no list of features beside the project"))
    func everyFeatureOfTheList_hasARow_andEveryNumberIsOfTheList() throws {
        let text = try String(contentsOf: Self.features, encoding: .utf8)
        let section = try #require(text.components(separatedBy: "\n## ").first { $0.hasPrefix("Features") })
        let listed = section.split(separator: "\n").compactMap {
            $0.firstMatch(of: #/^(\d+)\. /#).flatMap { Int($0.1) }
        }
        try #require(listed.count >= 30, "the list is read as it is written")
        let answered = Set(try rows().flatMap(\.of))
        for number in listed { #expect(answered.contains(number), "feature \(number) has no row in docs/answers.md") }
        for number in answered.sorted() { #expect(listed.contains(number), "docs/answers.md names feature \(number)") }
    }
}
