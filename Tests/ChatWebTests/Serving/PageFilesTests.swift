import Foundation
import Testing

@testable import ChatWeb

/// What a browser is sent of the page.
struct PageFilesTests {
    private func sent(_ script: String) -> String {
        String(decoding: PageFiles.withoutComments(Array(script.utf8)), as: UTF8.self)
    }

    @Test func linesOfComment_areEmpty_andAllKeepTheirNumbers() {
        #expect(
            sent("// a\nlet a = 1;\n  // b\n/** c */\n  /** d\n   * e = 2;\n   */\nlet b;\n")
                == "\nlet a = 1;\n\n\n\n\n\nlet b;\n")
    }

    @Test func commentsBesideCode_stay() {
        for line in [
            "let a = 1; // b", "const at = 'https://x';", "/** @type {any} */ (a).b();", "f(/* a */ 1);",
            "  a\n    /* b */ / 2;",
        ] {
            #expect(sent(line) == line)
        }
    }

    @Test func indentation_isNotSent() throws {
        let script = "if (a) {\n  b('  c');\n\n    d();\n}\n"
        #expect(
            String(decoding: PageFiles.withoutIndentation(Array(script.utf8)), as: UTF8.self)
                == "if (a) {\nb('  c');\n\nd();\n}\n")
        // A text that went over lines would change by that.
        let pages = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../Sources/ChatWeb/Page").standardized
        for name in try FileManager.default.subpathsOfDirectory(atPath: pages.path) where name.hasSuffix(".js") {
            let text = try String(contentsOf: pages.appending(path: name), encoding: .utf8)
            for line in text.split(separator: "\n") {
                // Not those in quotes, or in a pattern.
                let marks = line.replacing("'`'", with: "").replacing("`{3,}", with: "").count { $0 == "`" }
                #expect(marks.isMultiple(of: 2), "\(name): \(line)")
            }
        }
    }

    /// "Under 150 KB in all", without compression.
    @Test func wholePage_isSmall() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardized
        let page = try PageFiles(directory: root.appending(path: "Sources/ChatWeb/Page").path)
        let bytes = page.files.filter { $0.key != "/" }.values.reduce(0) { $0 + $1.plain.readableBytes }
        print("the page has \(bytes) bytes")
        #expect(bytes > 50_000 && bytes < 150_000)
    }
}
