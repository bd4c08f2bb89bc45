import Chat
import Foundation
import Testing

@testable import ChatWeb

/// A device that comes back by a link of its own.
@Suite(.timeLimit(.minutes(2))) struct ReturnTests {
    /// The code of a link as the webhook gets it, for the owner's device that was here last.
    private func code(_ box: WebBox) async throws -> String {
        let rules = WordRules(
            send: [.address], withTitle: false, webhook: "https://hook.example.invalid", mayPushToPrivate: false)
        let (added, ring) = AsyncStream<Void>.makeStream()
        let book = WordBook(
            store: box.store, rules: rules, returning: { _ in .random() }, added: { ring.yield() },
            trouble: { Issue.record("\($0)") })
        book.hear(address: "https://\(UUID().uuidString).example.invalid", lasts: false)
        let writing = Task { await book.run() }
        defer { writing.cancel() }
        for await _ in added { break }
        let body = try #require(try await box.store.dueDeliveries(limit: 9).last).body
        let link = try #require(body.firstMatch(of: /"link":"https:\/\/[^"]+#again=([0-9a-z]+)"/))
        return String(link.1)
    }

    private func own(_ box: WebBox, _ cookie: String) throws -> RawAnswer {
        try box.post("/api/devices", #"{"op":"own"}"#, cookie: cookie)
    }

    private func cookie(_ answer: RawAnswer) throws -> String {
        let field = try #require(answer.text.firstMatch(of: /[Ss]et-[Cc]ookie: ([^;]+);/))
        return String(field.1)
    }

    @Test func link_isGoodWhileOthersGuessFromTheSameAddress() async throws {
        let box = try await WebBox()
        _ = try await box.pair()
        let code = try await code(box)
        var last = 0
        for number in 0..<30 where last != 429 {
            last = try box.post("/api/pair", #"{"code":"wrong\#(number)"}"#).status
        }
        #expect(last == 429)
        #expect(try box.post("/api/pair", #"{"code":"\#(code)"}"#).status == 200)
    }

    @Test func link_bringsItsDeviceBack_once_andIsAudited() async throws {
        let box = try await WebBox()
        let before = try await box.pair()
        let device = try #require(try await box.store.devices().first)
        let code = try await code(box)
        #expect(code.count == ReturnCode.length)
        // Its name and role are its own, whatever comes with the code.
        let back = try box.post("/api/pair", #"{"code":"\#(code)","name":"another"}"#)
        #expect(back.status == 200 && back.text.contains(#""device":"\#(device.id)""#), "\(back.text)")
        let after = try cookie(back)
        #expect(try own(box, after).text.contains(device.name))
        #expect(try own(box, before).status == 401)
        #expect(try await box.store.devices().count == 1)
        #expect(try box.post("/api/pair", #"{"code":"\#(code)","name":"a thief"}"#).status == 403)
        #expect(
            box.audit.all.contains {
                $0.hasPrefix("device \(device.id) '\(device.name)' came back as owner by a link of its own from ")
            }, "\(box.audit.all)")
        #expect(!box.audit.all.contains { $0.contains(code) })
    }

    @Test func password_isNeededBesideTheLink_andFiveWrongOnesEndIt() async throws {
        let box = try await WebBox()
        _ = try await box.pair()
        _ = try await box.server.answer(.password(.set("open sesame")), by: "a test")
        let first = try await code(box)
        #expect(try box.post("/api/pair", #"{"code":"\#(first)"}"#).text.contains(#""code":"password""#))
        let back = try box.post("/api/pair", #"{"code":"\#(first)","password":"open sesame"}"#)
        #expect(back.status == 200, "\(back.text)")
        let second = try await code(box)
        for _ in 0..<5 {
            let wrong = try box.post("/api/pair", #"{"code":"\#(second)","password":"wrong-horse"}"#)
            #expect(wrong.text.contains(#""code":"password""#), "\(wrong.text)")
        }
        #expect(try box.post("/api/pair", #"{"code":"\#(second)","password":"open sesame"}"#).status == 403)
    }
}
