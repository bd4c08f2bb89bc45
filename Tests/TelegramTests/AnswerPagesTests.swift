import Chance
import Testing

@testable import Telegram

/// Long answers in messages that Telegram takes.
@Suite(.timeLimit(.minutes(1))) struct AnswerPagesTests {
    private func units(_ text: String) -> Int { text.utf16.count }

    @Test func shortText_isOneMessage_emptyTextNone() {
        #expect(AnswerPages.of("hello") == ["hello"])
        #expect(AnswerPages.of("") == [])
        #expect(AnswerPages.of(" \n ") == [])
    }

    @Test func longText_isCutAtLineBreaks_thenSpaces_thenWhereItIsFull() {
        #expect(AnswerPages.of("aaaaaa\nbbbbbb", limit: 10) == ["aaaaaa", "bbbbbb"])
        #expect(AnswerPages.of("aaaaaa bbbbbb", limit: 10) == ["aaaaaa", "bbbbbb"])
        #expect(AnswerPages.of("aaaaaaaaaabbb", limit: 10) == ["aaaaaaaaaa", "bbb"])
    }

    @Test func charactersAreNotCut_andCountAsTelegramCounts() {
        let family = "👩‍👩‍👧‍👦"
        #expect(units(family) == 11)
        #expect(AnswerPages.of(family + family, limit: 12) == [family, family])
        for page in AnswerPages.of(String(repeating: "😀", count: 5000)) { #expect(units(page) <= AnswerPages.limit) }
    }

    @Test(arguments: [Chance.seed(), 1, 2, 3] as [UInt64])
    func growingText_leavesEarlierMessagesAsTheyAre(seed: UInt64) {
        // A linear congruential generator (Knuth's MMIX constants): the seed stands in the name of the test's case.
        var state = seed
        let pieces = ["word ", "line\n", "x", "ü", "😀", String(repeating: "y", count: 30)]
        var text = ""
        var before: [String] = []
        for _ in 0..<400 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            text += pieces[Int(state >> 33) % pieces.count]
            let pages = AnswerPages.of(text, limit: 100)
            #expect(pages.dropLast().starts(with: before.dropLast()), "seed \(seed): \(text)")
            for page in pages { #expect(units(page) <= 100, "seed \(seed)") }
            before = pages
        }
        #expect(before.count > 5)
    }

    @Test func endlessText_isBounded_andSaysSo() {
        let pages = AnswerPages.of(String(repeating: "word ", count: 100_000))
        #expect(pages.count == AnswerPages.pageLimit)
        #expect(pages.last?.hasSuffix("the rest is on the page.") == true)
        for page in pages { #expect(units(page) <= AnswerPages.limit) }
    }
}
