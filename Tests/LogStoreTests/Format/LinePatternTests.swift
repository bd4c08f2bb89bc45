import Glibc
import Testing
import Wire

@testable import LogStore

@Suite("Ready patterns") struct LinePatternTests {
    private func match(_ pieces: [LinePattern.Piece], _ line: String) -> [String: String]? {
        Array(line.utf8).withUnsafeBytes { LinePattern(pieces: pieces).match($0) }
            .map { Dictionary($0.map { ($0.name, $0.value) }) { first, _ in first } }
    }

    private let listening: [LinePattern.Piece] = [
        .literal("listening on http://"), .capture(name: "host"), .literal(":"), .integer(name: "port"),
    ]

    @Test func literalAndCaptures_areFoundAnywhereInTheLine() {
        #expect(
            match(listening, "server listening on http://127.0.0.1:4096") == ["host": "127.0.0.1", "port": "4096"])
        #expect(match(listening, "listening on http://a:1 and more") == ["host": "a", "port": "1"])
        #expect(match([.literal("ready")], "I am ready now") == [:])
    }

    @Test func firstPlaceThatFitsAsAWhole_counts() {
        #expect(
            match(listening, "listening on http://?:1 listening on http://b:x listening on http://c:3")
                == ["host": "c", "port": "3"])
    }

    @Test func otherLines_doNotMatch() {
        #expect(match(listening, "") == nil)
        #expect(match(listening, "listening on http://") == nil)
        #expect(match(listening, "listening on http://:80") == nil, "a capture has at least one byte")
        #expect(match(listening, "listening on http://a b:80") == nil, "a space is not captured")
        #expect(match(listening, "listening on http://a:") == nil)
    }

    @Test func capture_endsAtTheFirstNextLiteral() {
        #expect(
            match([.literal("<"), .capture(name: "a"), .literal("/b"), .capture(name: "c")], "<x/b/b.") == [
                "a": "x", "c": "/b.",
            ])
    }

    @Test func valuesThatAreTooLong_doNotMatch() {
        let long = String(repeating: "a", count: 128)
        #expect(match([.literal("="), .capture(name: "v"), .literal(";")], "=\(long);") == ["v": long])
        #expect(match([.literal("="), .capture(name: "v"), .literal(";")], "=\(long)a;") == nil)
        #expect(match([.literal("="), .capture(name: "v")], "=\(long)a") == nil)
        #expect(match([.literal("="), .integer(name: "n")], "=123456789012345678") == ["n": "123456789012345678"])
        #expect(match([.literal("="), .integer(name: "n")], "=1234567890123456789") == nil)
    }

    @Test func captureBeforeTheFirstLiteral_isReadBackwards() {
        #expect(match([.capture(name: "who"), .literal(" is up")], "now web-1 is up") == ["who": "web-1"])
        #expect(match([.integer(name: "n"), .literal(" ok")], "x12 ok") == ["n": "12"])
        #expect(match([.capture(name: "who"), .literal("!")], " !") == nil)
    }

    @Test func captureAlone_isTheFirstRunOfItsBytes() {
        #expect(match([.integer(name: "n")], "port 80, 81") == ["n": "80"])
        #expect(match([.capture(name: "c")], "  (a.b) ") == ["c": "a.b"])
        #expect(match([], "x") == nil && match([.literal("")], "x") == nil)
    }

    /// What is captured is shown by `status`: a part of a secret is not told either, wherever the capture begins and ends.
    @Test(
        arguments: [
            ([.literal("token "), .capture(name: "a")], "token s3cr3t-value+tail", ["a": "[redacted]"]),
            ([.literal("token s3c"), .capture(name: "a")], "token s3cr3t-value+tail", ["a": "[redacted]"]),
            (
                [.literal("s3cr3t"), .capture(name: "a"), .literal("+"), .capture(name: "b")], "xs3cr3t-value+tail",
                [
                    "a": "[redacted]", "b": "[redacted]",
                ]
            ),
            ([.capture(name: "a"), .literal("+")], "at s3cr3t-value+tail", ["a": "[redacted]"]),
            (
                [.literal("/"), .capture(name: "a"), .literal("@"), .integer(name: "b")], "/me:s3cr3t-value+tail@80",
                nil
            ),
            ([.literal("="), .capture(name: "a")], "=s3cr3t-val", ["a": "[redacted]"]),
            ([.literal("on "), .integer(name: "a")], "s3cr3t-value+tail on 80", ["a": "80"]),
        ] as [([LinePattern.Piece], String, [String: String]?)])
    func capture_tellsNoPartOfASecret(pieces: [LinePattern.Piece], line: String, captures: [String: String]?) {
        let found = Array(line.utf8).withUnsafeBytes {
            LinePattern(pieces: pieces).match($0, Redaction(["s3cr3t-value+tail"]))
        }
        #expect(found.map { Dictionary($0.map { ($0.name, $0.value) }) { first, _ in first } } == captures)
    }

    @Test func hostileLine_isMatchedInLinearTime() {
        let pattern = LinePattern(pieces: [.literal("="), .capture(name: "v"), .literal("#")])
        // CPU time of this thread, the best of several: other processes and threads do not count.
        func time(_ count: Int) -> Int {
            let line = Array(String(repeating: "=aaaaaaaa", count: count).utf8)
            return (0..<5).map { _ in
                let before = threadTime()
                _ = line.withUnsafeBytes { pattern.match($0) }
                return threadTime() - before
            }.min() ?? 0
        }
        // Sixteen times the line costs sixteen times as much; quadratic would be 256 times.
        let (short, long) = (time(1000), time(16_000))
        #expect(long < short * 64)
    }

    private func threadTime() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
