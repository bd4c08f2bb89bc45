import Chance
import Testing
import Wire

@Suite(.timeLimit(.minutes(1)))
struct JSONParserTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONParser.parse(Array(text.utf8)) }

    @Test func everyKindOfValue_isRead() throws {
        let value = try parse(#" {"a":[1,-2,3.5,1e3,9223372036854775807],"b":true,"c":null,"d":"x","e":{}} "#)
        #expect(value["a"] == .array([.integer(1), .integer(-2), .real(3.5), .real(1000), .integer(.max)]))
        #expect(value["b"]?.flag == true)
        #expect(value["c"] == .null)
        #expect(value["d"]?.text == "x")
        #expect(value["e"] == .object([]))
        #expect(value["f"] == nil)
    }

    @Test func escapes_becomeTheirScalars() throws {
        #expect(try parse(#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#).text == "\"\\/\u{8}\u{C}\n\r\té😀")
        #expect(try parse(#""a\ud83dz""#).text == "a\u{FFFD}z")
        #expect(try parse(#""\ud83d\u0041""#).text == "\u{FFFD}A")
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "01", "1.", "-", "+1", "nul", "\"a", "\"\\x\"", "\"\n\"", "1 2",
        "[1}",
        "\"\\u12\"", "{1:2}", "tru", ".5", "1e", "9e999", "\"\u{0}\"",
    ])
    func badDocument_isRefused(_ text: String) {
        #expect(throws: JSONError.self) { try parse(text) }
    }

    @Test(arguments: [
        ("", 0, JSONError.Problem.end), ("[1,", 3, .end), ("{\"a\":\"\\", 7, .end), ("1 2", 2, .behind),
        ("[nul]", 4, .value),
        ("[01]", 3, .value), ("{a:1}", 1, .name), ("{\"a\" 1}", 5, .colon), ("{\"a\":1 2}", 7, .memberEnd),
        ("[1 2]", 3, .elementEnd), ("{\"a\":1, }", 8, .commaBeforeBrace), ("[1,]", 3, .commaBeforeBracket),
        ("[\"a\n\"]", 3, .control), ("[\"\\q\"]", 3, .escape), ("[\"\\u12x4\"]", 6, .escape),
        (String(repeating: "[", count: 66), 65, .depth),
    ]) func badDocument_isRefusedWithItsPlaceAndReason(_ text: String, _ offset: Int, _ problem: JSONError.Problem) {
        let error = #expect(throws: JSONError.self) { try parse(text) }
        #expect(error?.offset == offset && error?.problem == problem, "\(String(describing: error))")
    }

    @Test func badUTF8_isRefused() {
        #expect(throws: JSONError.self) { try JSONParser.parse([0x22, 0xFF, 0x22]) }
        #expect(throws: JSONError.self) { try JSONParser.parse([0x22, 0x5C, 0x6E, 0xC0, 0x80, 0x22]) }
    }

    @Test func depthBeyondTheLimit_isRefusedAndNotACrash() throws {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: JSONError.self) { try parse(deep) }
        let allowed = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        _ = try parse(allowed)
    }

    @Test func randomBytes_neverTrap() {
        let seed = Chance.seed()
        var random = SplitMix(seed: seed)
        let alphabet = Array("{}[]\",:\\u0123456789-+.eEtrufalsn \u{e9}".utf8)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<24, using: &random)
            let bytes = (0..<count).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            if let value = try? JSONParser.parse(bytes) {
                // What was read and written again reads as the same.
                #expect((try? parse(value.line)) == value, "seed \(seed)")
            }
        }
    }

    @Test func writtenText_isEscaped() {
        let value = JSONValue.object([.init("a\"b", .string("\u{1}\n\\é"))])
        #expect(value.line == #"{"a\"b":"\u0001\n\\é"}"#)
    }
}
