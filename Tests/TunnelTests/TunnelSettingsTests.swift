import Foundation
import Testing
import Tunnel

/// Bad settings are refused with the field, before anything is started.
@Suite(.timeLimit(.minutes(1)))
struct TunnelSettingsTests {
    private static let id = "11111111-2222-3333-4444-555555555555"
    private static let secret = Data(repeating: 7, count: 32).base64EncodedString()
    private let directory = "/tmp/nexus-settings-\(UUID().uuidString)"

    private func file(_ text: String, mode: Int = 0o600) throws -> String {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let path = directory + "/" + UUID().uuidString
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    private func settings(
        id: String = id, credentials: String = "", token: String = "", url: String = "https://chat.example.com"
    ) throws -> TunnelSettings {
        let json =
            #"{"mode":"named","id":"\#(id)","credentials-file":"\#(credentials)","token-file":"\#(token)","program":""}"#
        return try TunnelSettings(
            environment: ["NEXUS_TUNNEL": json, "NEXUS_CHAT_URL": url, "NEXUS_CHAT_SOCKET": "/run/chat.sock"])
    }

    private func refusal(_ mode: TunnelMode, _ settings: TunnelSettings) -> String {
        do {
            _ = try settings.identity(mode)
            return "taken"
        } catch { return error.description }
    }

    @Test func goodFiles_areTaken() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let credentials = try file(#"{"AccountTag":"a","TunnelSecret":"\#(Self.secret)","TunnelID":"\#(Self.id)"}"#)
        let token = try file(
            Data(#"{"a":"a","s":"\#(Self.secret)","t":"\#(Self.id)"}"#.utf8).base64EncodedString() + "\n")
        let uuid = try #require(UUID(uuidString: Self.id))
        #expect(
            try settings(credentials: credentials).identity(.named) == .named(uuid, credentialsFile: credentials))
        #expect(try settings(token: token).identity(.token) == .token(file: token))
        #expect(try settings(url: "").identity(.quick) == .quick)
        #expect(try settings().identity(.off) == nil)
    }

    /// cloudflared's: base64 with line ends in it, and the ways in which a UUID is written (Go's StdEncoding, uuid.Parse).
    @Test func waysOfWritingThatCloudflaredTakes_areTaken() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let uuid = try #require(UUID(uuidString: Self.id))
        let bare = Self.id.replacingOccurrences(of: "-", with: "")
        for (secret, id) in [
            (Self.secret.prefix(20) + "\\n" + Self.secret.dropFirst(20), Self.id), (Self.secret[...], "{\(Self.id)}"),
            (Self.secret[...], bare), (Self.secret[...], "urn:uuid:" + Self.id.uppercased()),
        ] {
            let path = try file(#"{"AccountTag":"a","TunnelSecret":"\#(secret)","TunnelID":"\#(id)"}"#)
            let said = refusal(.named, try settings(credentials: path))
            #expect(said == "taken", "\(id): \(said)")
            #expect(try settings(credentials: path).identity(.named) == .named(uuid, credentialsFile: path))
        }
        let token = Data(#"{"a":"a","s":"\#(Self.secret)","t":"\#(bare)"}"#.utf8).base64EncodedString()
        for (column, end) in [(76, "\n"), (40, "\r\n")] {
            let lines = stride(from: 0, to: token.count, by: column).map { token.dropFirst($0).prefix(column) }
            #expect(refusal(.token, try settings(token: try file(lines.joined(separator: end) + "\n"))) == "taken")
        }
        // A space is none of them, and no other sign may stand in a UUID.
        #expect(refusal(.token, try settings(token: try file("ab cd"))).contains("is no base64"))
        for id in ["{\(Self.id)", bare.dropLast() + "g", "urn:uid::" + Self.id, bare + "0"] {
            let path = try file(#"{"AccountTag":"a","TunnelSecret":"\#(Self.secret)","TunnelID":"\#(id)"}"#)
            #expect(refusal(.named, try settings(credentials: path)).contains("is no UUID"))
        }
    }

    @Test(arguments: [("", "", false), ("/c.json", "", true), ("", "/token", true)])
    func addressIsTheTunnels_alsoWhereOnlyACommandChoosesIt(credentials: String, token: String, isIts: Bool) throws {
        var written = try settings(credentials: credentials, token: token)
        written.mode = .off
        #expect(written.ownsURL == isIts)
    }

    /// Names are the same in any case of their letters, and who comes asks in lower case.
    @Test func nameInUpperCase_isTakenInLowerCase() throws {
        #expect(try settings(url: "https://Chat.Example.COM").hostname == "chat.example.com")
    }

    @Test func eachBadField_isNamed() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let other = "99999999-2222-3333-4444-555555555555"
        let good = try file(#"{"AccountTag":"a","TunnelSecret":"\#(Self.secret)","TunnelID":"\#(Self.id)"}"#)
        let open = try file(#"{"AccountTag":"a"}"#, mode: 0o644)
        let short = try file(#"{"AccountTag":"a","TunnelSecret":"c2hvcnQ=","TunnelID":"\#(Self.id)"}"#)
        let empty = try file("{}")
        func credentials(_ text: String) throws -> TunnelSettings { try settings(credentials: try file(text)) }
        func token(_ text: String) throws -> TunnelSettings {
            try settings(token: try file(Data(text.utf8).base64EncodedString()))
        }
        for (mode, settings, words) in [
            (TunnelMode.named, try settings(id: "chat", credentials: good), "[tunnel] id"),
            (.named, try settings(id: other, credentials: good), "[tunnel] id"),
            (.named, try settings(credentials: good, url: ""), "[chat] url"),
            (.named, try settings(credentials: good, url: "https://chat.example.com:8443"), "[chat] url: 'https:"),
            (.named, try settings(credentials: good, url: "https://-a.example"), "[chat] url: '-a.example' is no name"),
            (.token, try settings(url: "https://192.0.2.1"), "[chat] url: '192.0.2.1' is no name"),
            (.token, try settings(url: "https://chat.example.com:8443"), "not even a port"),
            (.token, try settings(url: "https://Some.tryCloudflare.com"), "is a quick tunnel's"),
            (.token, try settings(url: "https://chat.local"), "'chat.local' is no name"),
            (.token, try settings(url: "https://münchen.example.com"), "such as \"https://xn--"),
            (.named, try settings(credentials: good, url: "https://chat.home.arpa"), "'chat.home.arpa' is no name"),
            (.named, try settings(credentials: "/no/such"), "[tunnel] credentials-file: cannot open"),
            (.named, try settings(credentials: ""), "[tunnel] credentials-file: name the file"),
            (.named, try settings(credentials: empty), "[tunnel] credentials-file"),
            (.named, try settings(credentials: empty), "AccountTag in \(empty) is missing"),
            (.named, try settings(credentials: short), "TunnelSecret in \(short) is too short"),
            (.named, try credentials("[]"), "it is no JSON object"),
            (.named, try credentials(#"{"AccountTag":7}"#), "AccountTag"),
            (.named, try credentials(#"{"AccountTag":"a"}"#), "TunnelSecret"),
            (.named, try credentials(#"{"AccountTag":"a","TunnelSecret":"?"}"#), "is no base64"),
            (.named, try credentials(#"{"AccountTag":"a","TunnelSecret":"\#(Self.secret)"}"#), "TunnelID"),
            (
                .named, try credentials(#"{"AccountTag":"a","TunnelSecret":"\#(Self.secret)","TunnelID":"x"}"#),
                "is no UUID"
            ),
            (.token, try token("x"), "is no JSON object inside its base64"),
            (.token, try token("{}"), #"part "a" of the token"#),
            (.token, try token(#"{"a":""}"#), "is empty"),
            (.token, try token(#"{"a":"a","s":"c2hvcnQ="}"#), #"part "s" of the token"#),
            (.token, try token(#"{"a":"a","s":"\#(Self.secret)"}"#), #"part "t" of the token"#),
            (.token, try token(#"{"a":"a","s":"\#(Self.secret)","t":7}"#), "is no text"),
            (
                .named, try settings(credentials: open),
                "[tunnel] credentials-file: everybody may read or write '\(open)': chmod 0600 it"
            ),
            (.named, try settings(credentials: try file("")), "is empty; it is to be the file written by `cloudflared"),
            (.token, try settings(token: try file(" \n\n")), "is empty; it is to be the file with the token that"),
            (.named, try settings(credentials: "/tmp"), "is no file"),
            (.token, try settings(token: try file("not a token")), "[tunnel] token-file"),
            (.token, try settings(token: try file("e30=")), "[tunnel] token-file"),
            (.quick, try settings(), "[chat] url"),
        ] {
            let said = refusal(mode, settings)
            #expect(said.contains(words), "\(said)")
            #expect(!said.contains(Self.secret))
        }
    }

    /// cloudflared would refuse these only when it runs, in words that name no field (Go's encoding/json).
    @Test func whatGoRefuses_isRefusedWithItsPlace_andWhatGoTakesIsTaken() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let rest = #""TunnelSecret":"\#(Self.secret)","TunnelID":"\#(Self.id)""#
        let uuid = try #require(UUID(uuidString: Self.id))
        for (text, words) in [
            ("{\"AccountTag\":\"a\",\n\(rest),}", ":2:"),
            ("{\"AccountTag\":\"a\",\n\(rest),}", "a comma stands before }"),
            (
                "\u{FEFF}{\"AccountTag\":\"a\",\(rest)}",
                ":1:1: it is no JSON object that cloudflared takes: a byte order mark"
            ),
            ("{\"AccountTag\":\"a\",\(rest),\"Endpoint\":5}", "Endpoint in "),
            ("{\"AccountTag\":\"a\",\(rest),\"endpoint\":{}}", "is no text"),
            ("{\"AccountTag\":null,\(rest)}", "AccountTag in "),
            ("{\"AccountTag\":\"a\",\(rest)", "it ends too early"),
            (
                "{\"AccountTag\":\"a\" \(rest)}",
                ":1:19: it is no JSON object that cloudflared takes: a comma or } is missing"
            ),
            (
                "{\"AccountTag\":\"a\",\(rest)}{}",
                ":1:131: it is no JSON object that cloudflared takes: something stands behind its end"
            ),
            ("{AccountTag:\"a\",\(rest)}", ":1:2: it is no JSON object that cloudflared takes: a name in quotes"),
            ("{\"x\":01,\(rest)}", "no value stands here"), ("{\"x\":NaN,\(rest)}", "no value stands here"),
            ("{\"x\":[1,],\(rest)}", "a comma stands before ]"), ("{\"x\":\"\t\",\(rest)}", "a control character"),
            ("{\"x\":\"\\q\",\(rest)}", "a \\ that JSON does not know"), ("{\"x\":\"\\", "it ends too early"),
            ("{\"x\":" + String(repeating: "[", count: 1000), "more than 64 brackets"),
        ] {
            let said = refusal(.named, try settings(credentials: try file(text)))
            #expect(said.contains(words), "\(text): \(said)")
            #expect(!said.contains(Self.secret))
        }
        for text in [
            #"{"accounttag":"a","TUNNELSECRET":"\#(Self.secret)","tunnelId":"\#(Self.id)","Endpoint":"eu"}"#,
            " {\r\n\t\"AccountTag\" : \"a\\u0041\",\n\(rest), \"Endpoint\":null, \"x\":[{}, [], -1.5e+3, true, {\"y\":0}]}\n",
            "{\"AccountTag\":\"\",\"accounttag\":\"a\",\(rest)}",
        ] {
            let path = try file(text)
            #expect(try settings(credentials: path).identity(.named) == .named(uuid, credentialsFile: path))
        }
        let token = #"{"a":"a","s":"\#(Self.secret)","t":"\#(Self.id)""#
        for (end, words) in [(",}", "1:"), (#","e":5}"#, #"part "e" of the token"#)] {
            let said = refusal(
                .token, try settings(token: try file(Data((token + end).utf8).base64EncodedString())))
            #expect(said.contains(words) && said.contains("copy the long word"), "\(said)")
        }
    }

    /// The rule of `[secret.NAME]`: a group, and whose the file is, are its owner's choice.
    @Test(arguments: [(0o600, false), (0o640, false), (0o660, false), (0o604, true), (0o602, true), (0o644, true)])
    func tokenFile_isRefusedWhereEverybodyMayUseIt_andNowhereElse(mode: Int, isRefused: Bool) throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let token = Data(#"{"a":"a","s":"\#(Self.secret)","t":"\#(Self.id)"}"#.utf8).base64EncodedString()
        let path = try file(token, mode: mode)
        if getuid() == 0 { #expect(chown(path, 65534, 65534) == 0) }
        let said = refusal(.token, try settings(token: path))
        #expect(
            said == (isRefused ? "[tunnel] token-file: everybody may read or write '\(path)': chmod 0600 it" : "taken"))
    }

    @Test func choice_outlivesTheProcess() throws {
        _ = try file("")
        defer { try? FileManager.default.removeItem(atPath: directory) }
        #expect(try TunnelChoice.read(in: directory) == .none)
        let choice = TunnelChoice(mode: .quick, isOn: false)
        try choice.write(in: directory)
        #expect(try TunnelChoice.read(in: directory) == choice)
        var halted = TunnelChoice.none
        halted.halt = .exposure("rule 1")
        try halted.write(in: directory)
        #expect(try TunnelChoice.read(in: directory) == halted && !halted.isByCommand)
        try "{ torn".write(toFile: directory + "/choice.json", atomically: false, encoding: .utf8)
        #expect(throws: TunnelError.self) { try TunnelChoice.read(in: directory) }
    }

    /// A FIFO has nobody who writes; a link may lead anywhere.
    @Test(arguments: ["choice.json", "launch.json"]) func anotherThanAFile_isRefusedAtOnce(_ name: String) throws {
        _ = try file("")
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/" + name
        func refused() {
            #expect(throws: TunnelError.self) {
                if name == "choice.json" { _ = try TunnelChoice.read(in: directory) }
                _ = try LaunchFile.read(in: directory)
            }
        }
        #expect(mkfifo(path, 0o600) == 0)
        refused()
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/null")
        refused()
        try FileManager.default.removeItem(atPath: path)
        try Data(repeating: 32, count: 4097).write(to: URL(fileURLWithPath: path))
        refused()
    }
}
