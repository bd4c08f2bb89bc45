import Testing

@testable import Tunnel

/// RE2's words about a path, as cloudflared takes them.
@Suite(.timeLimit(.minutes(1))) struct PathExpressionTests {
    @Test(arguments: [
        ("", true), ("/", true), ("^/page", true), ("^page", false), ("page$", false), (#"\.webmanifest$"#, true),
        (".webmanifest", true), ("^/x|^/p", true), ("(?:x|y)", false), ("^/p(a|b)ge", true), ("^/p(?P<n>a)ge", true),
        ("^/[a-z]+\\.", true), ("^/[^p]", false), ("[]x/]", true), ("[^/]$", true), ("^/pa?a?ge", true),
        ("^/pa{2}ge", false),
        ("^/pa{1,}ge", true), ("^/p.{0,2}e", true), ("e{0}$", true), ("a{,2}", false), ("^(/.*)?$", true),
        ("^(/x)*$", false),
        (#"^/\w+\.\w{11}$"#, true), (#"^/\d"#, false), (#"^/\D"#, true), (#"\bpage\b"#, true), (#"\Bage"#, true),
        ("(?i)PAGE", true), ("PAGE", false), ("^/(?i:PA)ge", true), ("^/(?i:PA)GE", false), ("(?i)^/[P]", true),
        (#"\x2fpage"#, true),
        (#"\x{2F}page"#, true), (#"\A/page\.webmanifest\z"#, true), (#"[\w.]+$"#, true), (#"[\D]page"#, true),
        ("^/.*?t$", true),
        ("^.*/.*/", false), ("(a|aa)+x", false), ("^(?:/|page|.|webmanifest)+$", true),
    ]) func expression_isFoundOrNot(_ pattern: String, _ isFound: Bool) throws {
        #expect(try #require(PathExpression(pattern)).isFound(in: "/page.webmanifest") == isFound)
    }

    /// RE2 refuses them, or nobody reads them here.
    @Test(arguments: [
        "(", ")", "a)", "[", "[]", "[z-a]", "*", "a**", "a{2000}", "a{3,2}", "\\", #"\q"#, #"(a)\1"#, "(?=a)", "(?<n",
        "(?P<a)",
        #"\pL"#, "[[:alpha:]]", #"\x{110000}"#, #"\xg"#, "(?i",
    ]) func wrongOne_isNotTaken(_ pattern: String) {
        #expect(PathExpression(pattern) == nil)
    }

    @Test func longOne_isNotTaken_andALongPathIsNotLookedAt() throws {
        #expect(PathExpression(String(repeating: "(", count: 100_000)) == nil)
        #expect(PathExpression(String(repeating: "a", count: 257)) == nil)
        #expect(try #require(PathExpression("a")).isFound(in: String(repeating: "a", count: 63)))
        #expect(try !#require(PathExpression("a")).isFound(in: String(repeating: "a", count: 64)))
    }
}
