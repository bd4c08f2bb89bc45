import Foundation
import Testing

@testable import Wire

@Suite struct JSONWriterTests {
    private func text(_ body: (inout JSONWriter) -> Void) -> String {
        var json = JSONWriter()
        body(&json)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    @Test func nesting_getsItsCommas() {
        let written = text { json in
            json.object { json in
                json.field("a", 1)
                json.array("b") { json in
                    json.value("x")
                    json.value(Int?.none)
                    json.object { _ in }
                    json.array { $0.value(true) }
                }
                json.object("c") { $0.field("d", UInt64.max) }
                json.null("e")
                json.field("f", "")
                json.raw("g", Array("[1,2]".utf8))
                json.field("h", false)
            }
        }
        #expect(
            written
                == #"{"a":1,"b":["x",null,{},[true]],"c":{"d":18446744073709551615},"e":null,"f":"","g":[1,2],"h":false}"#
        )
    }

    @Test func stringsThatEndLikeOpeners_stillGetCommas() {
        let written = text { json in json.array { for text in ["{", "[", ":", ","] { $0.value(text) } } }
        #expect(written == #"["{","[",":",","]"#)
    }

    @Test func everyScalarBelow0x300_isReadBackByFoundation() throws {
        let scalars = [0..<0x300, 0x2020..<0x2070].joined().compactMap { Unicode.Scalar($0 as UInt32) }
        let all = String(String.UnicodeScalarView(scalars)) + "😀"
        let written = text { $0.object { $0.field(all, all) } }
        #expect(!written.unicodeScalars.contains(where: ControlText.isUnsafe))
        #expect(JSONValue.object([.init(all, .string(all))]).line == written)
        #expect(try JSONDecoder().decode([String: String].self, from: Data(written.utf8)) == [all: all])
    }

    @Test func bytesThatAreNotUTF8_areRepaired() {
        let written = text { $0.object { $0.field("a", repairing: [0x61, 0xFF, 0xC3, 0x28] as [UInt8]) } }
        #expect(written == "{\"a\":\"a\u{FFFD}\u{FFFD}(\"}")
    }
}
