import Testing

@testable import NexusConfiguration

@Suite(.timeLimit(.minutes(1))) struct TextRedactorTests {
    private func redacted(_ text: String, _ values: String...) -> String {
        String(decoding: TextRedactor(values: values).redacted(Array(text.utf8)), as: UTF8.self)
    }

    @Test func knownValues_goWordForWord_alsoInsideJSON_andLineByLine() {
        #expect(redacted("a hunter2! b hunter2!", "hunter2!") == "a [redacted] b [redacted]")
        #expect(redacted(#"{"x":"a\"b\\c-"}"#, #"a"b\c-"#) == #"{"x":"[redacted]"}"#)
        #expect(redacted("first line x\nsecond line\n", "first line\nsecond line") == "[redacted] x\n[redacted]\n")
        #expect(redacted("abc", "abc") == "abc", "three bytes would blot out half of every text")
        #expect(redacted("longlonger long!", "long", "longlonger") == "[redacted] [redacted]!")
    }

    @Test(arguments: [
        "password=canary", "PASSWORD: canary", #"{"password":"canary"}"#, #"db_password = "canary with words""#,
        "Authorization: Bearer canary", "authorization: basic canary", "api_key='canary'", "--token=canary",
        "Set-Cookie: canary; Path=/", "https://user:canary@example.invalid/x", "SECRET_ACCESS_KEY=canary",
        "bearer canary", "export GITHUB_TOKEN=canary",
    ])
    func valueBehindATellingName_goes(line: String) {
        let text = redacted(line)
        #expect(!text.contains("canary") && text.contains("[redacted]"), "\(text)")
    }

    @Test(arguments: [
        "sk-" + String(repeating: "ab", count: 12), "ghp_abcdefghijklmnopqrst0123",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "AKIAABCDEFGHIJKLMNOP",
        "dGhpcyBpcyBhIGxvbmcgc2VjcmV0IGtleSAwMTIzNDU2Nzg5",
    ])
    func tokenOfAKnownMake_goes(token: String) {
        #expect(redacted("got \(token) here") == "got [redacted] here")
    }

    @Test func privateKey_goesWithAllItsLines() {
        let text = "a\n-----BEGIN PRIVATE KEY-----\nMIIB\nxyz\n-----END PRIVATE KEY-----\nb"
        #expect(redacted(text) == "a\n[redacted]\n[redacted]\n[redacted]\n[redacted]\nb")
    }

    @Test(arguments: [
        "2026-11-23T04:05:06.123456Z 6743f2a1-17 O6- Listening on http://127.0.0.1:4096/x",
        "web ended after 2 s: exit 3 (crash).", "MESSAGE_ID=1c657580dcbb4e52bd2e5ff3959019e0", "no password given",
        #"{"token":null,"secret":false}"#, "the token expired", "/usr/lib/nexus/nexus-config check Supervisor.toml",
    ])
    func ordinaryLine_staysAsItIs(line: String) {
        #expect(redacted(line) == line)
    }

    @Test func anyBytes_areTaken() {
        var bytes = (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 167) }
        _ = TextRedactor(values: []).redacted(bytes)
        bytes.removeAll()
        #expect(TextRedactor(values: ["secret"]).redacted(bytes).isEmpty)
    }
}

@Suite(.timeLimit(.minutes(1))) struct RedactedFileTests {
    private let file = """
        # canary in a comment
        [supervisor]
        read-users = ["alice"]
        [child.web]
        command = ["web", "--port", "80"]
        fallback = ["sh", "-c", "curl -H 'Authorization: Bearer canary-4' --token=canary-5"]
        delay = { first = "1s" }
        environment = { PASSWORD = "canary-1", TOKEN = { secret = "api" }, URL = "x-{secret.api}-canary-2" }
        [child.db.environment]
        KEY = "canary-3"
        [secret.api]
        file = "/etc/key"
        """

    @Test func environments_areLeftOut_everythingElseStands() throws {
        let redacted = RedactedFile(Array(file.utf8))
        let text = try #require(redacted.text)
        #expect(!text.contains("canary"))
        #expect(redacted.environment == ["canary-1", "x-{secret.api}-canary-2", "canary-3"])
        #expect(redacted.secretFiles == ["/etc/key"])
        #expect(text.contains(#"command = ["web", "--port", "80"]"#) && text.contains(#"file = "/etc/key""#))
        #expect(text.contains(#"TOKEN = { secret = "api" }"#) && text.contains(#"delay = { first = "1s" }"#))
        #expect(RedactedFile(Array(text.utf8)).text == text, "what it writes is TOML, and says the same again")
    }

    /// Who knows the address of such a service may write there.
    @Test(arguments: [
        "https://hooks.example.invalid/services/T0/B0/canary", "https://hooks.example.invalid?key=canary",
        "https://canary@hooks.example.invalid/canary",
    ])
    func addressOfAWebhook_isLeftOutBehindItsHost_andEverywhereElse(address: String) throws {
        let redacted = RedactedFile(Array("[word]\nsend = [\"turn\"]\nwebhook = \"\(address)\"\n".utf8))
        let text = try #require(redacted.text)
        #expect(!text.contains("canary") && text.contains("hooks.example.invalid"), "\(text)")
        let line = TextRedactor(values: redacted.environment).redacted(Array("posting to \(address)".utf8))
        #expect(!String(decoding: line, as: UTF8.self).contains("canary"))
        #expect(RedactedFile(Array(text.utf8)).text == text)
    }

    @Test func whatIsNoTOML_hasNoText() { #expect(RedactedFile(Array("a = ".utf8)).text == nil) }
}
