import Chat
import Foundation
import Testing

@testable import ChatWeb

/// The password that pairing may need beside a code.
@Suite(.timeLimit(.minutes(2)))
struct PasswordTests {
    private func set(_ password: String, _ box: WebBox) async throws {
        let lines = try await box.server.answer(.password(.set(password)), by: "a test")
        #expect(lines.map { String(decoding: $0, as: UTF8.self) } == [#"{"set":true,"type":"password"}"#])
    }

    private func pair(_ box: WebBox, _ code: String, _ password: String?) throws -> RawAnswer {
        let word = password.map { #","password":"\#($0)""# } ?? ""
        return try box.post("/api/pair", #"{"code":"\#(code)"\#(word)}"#)
    }

    @Test func password_isNeededBesideACode_andTheCodeIsNotSpentByAsking() async throws {
        let box = try await WebBox()
        try await set("correct h\u{F6}rse", box)
        let code = try await box.code()
        for (password, words) in [(nil, "wants its password"), ("correct horse", "not the password")] {
            let answer = try pair(box, code, password)
            #expect(answer.status == 401 && answer.text.contains(#""code":"password""#) && answer.text.contains(words))
        }
        // An ö of two scalars, as some keyboards make it.
        #expect(try pair(box, code, "correct ho\u{308}rse").status == 200)
        #expect(try pair(box, code, "correct h\u{F6}rse").status == 403)
        _ = try await box.server.answer(.password(.remove), by: "a test")
        #expect(try pair(box, try await box.code(), nil).status == 200)
        #expect(box.audit.all.filter { $0.contains("password") }.count == 3)
    }

    @Test func wrongPasswords_endTheirCode_andNoOther() async throws {
        let box = try await WebBox()
        try await set("correct horse", box)
        let code = try await box.code()
        let other = try await box.code()
        for _ in 0..<PairingCodes.passwordTries { #expect(try pair(box, code, "wrong horse").status == 401) }
        #expect(try pair(box, code, "correct horse").status == 403)
        #expect(try pair(box, other, "correct horse").status == 200)
        #expect(box.audit.all.contains { $0.contains("ended after 5 wrong passwords") })
    }

    /// All places are taken by others: that is no wrong password of his.
    @Test func noPlaceForTheHash_costsNoTry() async throws {
        let store = try ChatStore(
            directory: FileManager.default.temporaryDirectory.path + "/nexus-door-\(UUID().uuidString)")
        let door = Door(store: store) { _ in }
        try await door.setPassword("correct horse", by: "a test")
        let code = door.issue(.owner, by: "a test").code
        func come(_ password: String) async -> Refused? {
            do throws(Refused) {
                _ = try await door.pair(
                    code: code, password: password, name: "a test", address: "127.0.0.1",
                    sharesCookie: true)
                return nil
            } catch { return error }
        }
        func taken(_ places: Int) async throws(Refused) {
            guard places > 0 else {
                for _ in 0..<PairingCodes.passwordTries { #expect(await come("wrong horse") == .tooMany(.seconds(1))) }
                return
            }
            try await door.passwords.inPlace { () async throws(Refused) in try await taken(places - 1) }
        }
        try await taken(Passwords.waitingLimit)
        #expect(await come("correct horse") == nil)
    }

    @Test func rightPasswordManyTimesAtOnce_letsOneIn_andCountsAsNoWrongOne() async throws {
        let box = try await WebBox()
        try await set("correct horse", box)
        let code = try await box.code()
        let connections = try (0..<12).map { _ in try box.connect() }
        let body = #"{"code":"\#(code)","password":"correct horse","name":"a test"}"#
        for connection in connections { try connection.send(box.request("/api/pair", body)) }
        let statuses = try connections.map { try $0.answer().status }
        #expect(statuses.count { $0 == 200 } == 1, "\(statuses)")
        #expect(statuses.allSatisfy { [200, 403, 429].contains($0) }, "\(statuses)")
        #expect(!box.audit.all.contains { $0.contains("wrong passwords") }, "\(box.audit.all)")
    }

    @Test func strangerWithoutACode_neverGetsToThePassword() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        try await set("correct horse", box)
        for number in 0..<8 { #expect(try pair(box, "wrong\(number)", "correct horse").status == 403) }
        #expect(!box.audit.all.contains { $0.contains("wrong password") })
        // Who is in already is asked for nothing.
        #expect(try box.post("/api/devices", #"{"op":"own"}"#, cookie: cookie).status == 200)
        #expect(try box.post("/api/devices", #"{"op":"password","remove":true}"#, cookie: cookie).status == 400)
    }

    @Test func password_isKeptAsItsSlowHash() async throws {
        let box = try await WebBox()
        try await set("a very secret word", box)
        let hash = try #require(try await box.store.passwordHash())
        #expect(hash.hasPrefix("$argon2id$v=19$m=65536,t=3,p=1$"))
        for name in ["chat.sqlite", "chat.sqlite-wal"] {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(box.directory)/\(name)"))
            #expect(bytes.range(of: Data("very secret".utf8)) == nil)
        }
        #expect(!box.audit.all.joined().contains("very secret"))
        for short in ["", "1234567", String(repeating: "x", count: 257)] {
            await #expect(throws: (any Error).self) {
                try await box.server.answer(.password(.set(short)), by: "a test")
            }
        }
        #expect(try await box.store.passwordHash() == hash)
    }

    @Test func manyHashesAtATime_waitInAShortQueue_theRestAreRefused() async throws {
        let passwords = Passwords()
        let hash = try await passwords.hash(Array("correct horse".utf8))
        let outcomes = await withTaskGroup(of: Bool?.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try? await passwords.inPlace { await passwords.isRight(Array("correct horse".utf8), for: hash) }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.contains(true) && !outcomes.contains(false))
        #expect(outcomes.count { $0 == nil } >= 20 - 2 * Passwords.waitingLimit)
    }
}
