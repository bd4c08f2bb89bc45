import Chance
import Testing

@testable import NexusConfiguration

/// The places of keys and values, in every way TOML lets one write them.
@Suite(.timeLimit(.minutes(1))) struct PositionScannerTests {
    @Test(arguments: [
        ("a = 1", "a", "1:1", "1:5"), ("  a   =   1", "a", "1:3", "1:11"), ("\"a b\" = 1", "a b", "1:1", "1:9"),
        ("'a.b' = 1", "a.b", "1:1", "1:9"), ("a.b.c = 1", "a/b/c", "1:5", "1:9"),
        ("a . \"b\" = 1", "a/b", "1:5", "1:11"),
        ("\"\\u00e4\" = 1", "ä", "1:1", "1:12"), ("# x\n\r\n[t]\nk = 1", "t/k", "4:1", "4:5"),
        ("[ a . b ]\nk = 1", "a/b", "1:7", "1:7"), ("[a.b]\n[a]\nk = 1", "a", "1:2", "2:2"),
        ("\"ä\" = \"x\"\nb = 2", "b", "2:1", "2:5"), ("a = '''\n'x'\n''''\nb = 1", "b", "4:1", "4:5"),
        ("a = \"\"\"x\"\"\"\"\"\nb = 1", "b", "2:1", "2:5"), ("a = \"\\\"]\" # ]\nb = 1", "b", "2:1", "2:5"),
        ("a = [1, [2, 3], # c\n 4]\nb = 1", "b", "3:1", "3:5"), ("a = [1, [2, 3], # c\n 4]", "a/1/1", "1:13", "1:13"),
        ("a = [1,\n 4,\n]", "a/1", "2:2", "2:2"), ("a = { b = 1, c.d = [ 2 ] }", "a/c/d/0", "1:22", "1:22"),
        ("a = {}\nb = []", "b", "2:1", "2:5"), ("a = 2024-01-01 10:00:00\nb = 1", "b", "2:1", "2:5"),
        ("[[t]]\nk = 1\n[[t]]\nk = 2", "t/1/k", "4:1", "4:5"), ("[[t]]\n[t.u]\nk = 1", "t/0/u/k", "3:1", "3:5"),
        ("[[t]]\n[[t.u]]\n[[t.u]]\nk = 1", "t/0/u/1/k", "4:1", "4:5"), ("\u{FEFF}a = 1", "a", "1:1", "1:5"),
        ("a = \"日本\" # x\nb = [\"語\", 2]", "b/1", "2:11", "2:11"), ("a=1\r\nb=2", "b", "2:1", "2:3"),
    ])
    func place_isFound(text: String, path: String, key: String, value: String) throws {
        var scanner = PositionScanner(Array(text.utf8))
        var mark = scanner.scan()
        for step in path.split(separator: "/").map(String.init) {
            if let index = Int(step), !mark.elements.isEmpty {
                mark = mark.elements[index]
            } else {
                mark = try #require(mark.members[step], "\(step) of \(path)")
            }
        }
        #expect("\(mark.key.line):\(mark.key.column)" == key)
        #expect("\(mark.value.line):\(mark.value.column)" == value)
        // TOMLKit must accept what the scanner is said to understand.
        #expect(Table(toml: Array(text.utf8), report: Report(file: "x")) != nil)
    }

    /// Texts with a key that is too deep, and where its 65th part stands.
    private static let deepTexts = [
        "a key": (path(20_000) + " = 1", "1:129"),
        "a header": ("[" + path(20_000) + "]", "1:130"),
        "header and key": ("[" + path(40) + "]\n" + path(25) + " = 1", "2:49"),
        "inline tables": (String(repeating: path(64) + " = {", count: 200), "1:132"),
        "in an array": ("x = [{ " + path(65) + " = 1 }]", "1:134"),
        "an error behind it": ("a = 1\n" + path(65) + " = 1\nb = [}", "2:129"),
    ]

    /// TOMLKit would free so deep a table by recursion, and end the process.
    @Test(arguments: deepTexts.keys.sorted())
    func keyWithTooManyParts_isRefusedWithItsPlace(name: String) throws {
        let (text, place) = try #require(Self.deepTexts[name])
        let words =
            "a key with more than 64 parts (those of the tables around it count): make it shorter; what else may be wrong in the"
            + " file is said when it can be read"
        #expect(FakeMachine().diagnostics(text) == "Supervisor.toml:\(place): error: syntax: \(words)")
    }

    @Test func keyWith64Parts_isRead() {
        let text =
            "[" + Self.path(60) + "]\n" + Self.path(4) + " = 1\n" + Self.path(4, "b") + " = 1\n[x]\n" + Self.path(63)
            + " = 1"
        #expect(Table(toml: Array(text.utf8), report: Report(file: "x")) != nil)
    }

    private static func path(_ parts: Int, _ name: String = "a") -> String {
        Array(repeating: name, count: parts).joined(separator: ".")
    }

    @Test func randomText_neverTraps() {
        let seed = Chance.seed()
        var random = SplitMix(seed: seed)
        let alphabet = Array("[]{}=.,\"'\\#\n\r \tab1uU0\u{E4}".utf8) + [0, 0xFF]
        for _ in 0..<3000 {
            let count = Int.random(in: 0...60, using: &random)
            let bytes = (0..<count).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            var scanner = PositionScanner(bytes)
            _ = scanner.scan()
        }
    }

    /// toml++ ends the process by an assertion for some texts; none of them may reach it.
    @Test func randomNearlyTOML_neverEndsTheProcess() {
        let seed = Chance.seed()
        var random = SplitMix(seed: seed)
        let alphabet = Array("[]{}=\"'.,\n\r#_-+:19aexTZ \t\\\u{E4}u0inf").map(String.init)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<14, using: &random)
            let text = "a=" + (0..<count).map { _ in alphabet.randomElement(using: &random) ?? "" }.joined()
            _ = Table(toml: Array(text.utf8), report: Report(file: "x"))
        }
    }

    /// A good file with some bytes changed is accepted or refused with places inside of it.
    @Test func changedFile_givesAPlanOrDiagnostics() throws {
        let seed = Chance.seed()
        var random = SplitMix(seed: seed)
        let text = try String(
            contentsOf: #require(DiagnosticsTests.files).appendingPathComponent("good/every-key.toml"), encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).count
        var accepted = 0
        for _ in 0..<300 {
            var characters = Array(text)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let index = Int.random(in: characters.indices, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: characters.remove(at: index)
                case 1: characters.insert(characters.randomElement(using: &random) ?? "x", at: index)
                case _: characters[index] = Array("[]{}=\"'.,\n19a-").randomElement(using: &random) ?? "x"
                }
            }
            do {
                _ = try FakeMachine().parse(String(characters))
                accepted += 1
            } catch {
                #expect(!error.diagnostics.isEmpty, "seed \(seed)")
                for diagnostic in error.diagnostics {
                    #expect((1...lines + 3).contains(diagnostic.position?.line ?? 1), "seed \(seed): \(diagnostic)")
                    #expect(!diagnostic.message.contains("defect"), "seed \(seed): \(diagnostic)")
                }
            }
        }
        #expect(accepted < 300)
    }
}
