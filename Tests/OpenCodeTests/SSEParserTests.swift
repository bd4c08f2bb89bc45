import Chance
import Testing

@testable import OpenCode

/// The event stream's framing: bytes may be split anywhere.
struct SSEParserTests {
    private static let stream = """
        : a comment
        id: 7
        data: {"text":"grüße 👋🏽"}

        event: x
        retry: 5
        data: one
        data:two
        data

        data: \u{1F600} last

        data: never finished
        """

    private static let frames = ["{\"text\":\"grüße 👋🏽\"}", "one\ntwo\n", "\u{1F600} last"]

    private func read(_ chunks: [ArraySlice<UInt8>]) throws -> [String] {
        var parser = SSEParser()
        return try chunks.flatMap { try parser.feed($0) }.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: ["\n", "\r\n", "\r"])
    func splitAtEveryByte_sameFrames(lineEnd: String) throws {
        let bytes = Array(Self.stream.replacing("\n", with: lineEnd).utf8)
        for cut in 0...bytes.count {
            #expect(try read([bytes[..<cut], bytes[cut...]]) == Self.frames, "cut at \(cut)")
        }
    }

    @Test func byteByByte_sameFrames() throws {
        let bytes = Array(Self.stream.utf8)
        #expect(try read(bytes.indices.map { bytes[$0...$0] }) == Self.frames)
    }

    @Test func randomSplits_sameFrames() throws {
        let seed = Chance.seed()
        var random = SplitMix(seed: seed)
        let bytes = Array(Self.stream.replacing("\n", with: "\r\n").utf8)
        for _ in 0..<500 {
            var chunks: [ArraySlice<UInt8>] = []
            var start = 0
            while start < bytes.count {
                let end = min(bytes.count, start + Int.random(in: 1...40, using: &random))
                chunks.append(bytes[start..<end])
                start = end
            }
            #expect(try read(chunks) == Self.frames, "seed \(seed)")
        }
    }

    @Test func byteOrderMark_isSkippedAtTheStartOnly() throws {
        #expect(try read([Array("\u{FEFF}data: a\n\n\u{FEFF}data: b\n\n".utf8)[...]]) == ["a"])
    }

    @Test func emptyData_isAFrame() throws {
        #expect(try read([Array("data:\n\n\n\ndata\n\n".utf8)[...]]) == ["", ""])
    }

    @Test func frameAboveTheLimit_isRefused() throws {
        var parser = SSEParser(limit: 100)
        #expect(try parser.feed(Array("data: \(String(repeating: "x", count: 94))\n\n".utf8)).count == 1)
        #expect(throws: SSEParser.TooLong.self) {
            _ = try parser.feed(Array("data: \(String(repeating: "x", count: 95))".utf8))
        }
    }

    @Test func manyDataLines_countTogether() {
        var parser = SSEParser(limit: 100)
        #expect(throws: SSEParser.TooLong.self) {
            _ = try parser.feed(Array(String(repeating: "data: xxxxxxxxxx\n", count: 20).utf8))
        }
    }
}
