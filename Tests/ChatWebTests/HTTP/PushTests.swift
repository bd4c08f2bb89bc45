import Chat
import Foundation
import Testing

@testable import ChatWeb

/// Devices that want to be told things: only paired ones, only about themselves, and no address that could not be a
/// push service's.
@Suite(.timeLimit(.minutes(1))) struct PushTests {
    private let key = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"

    private func subscribe(_ endpoint: String, key: String? = nil, auth: String = "BTBZMqHH6r4Tts7J_aSIgg") -> String {
        #"{"op":"subscribe","endpoint":"\#(endpoint)","p256dh":"\#(key ?? self.key)","auth":"\#(auth)"}"#
    }

    private func line(_ answer: RawAnswer) throws -> [String: Any] {
        let body = answer.text.components(separatedBy: "\r\n\r\n").last ?? ""
        return try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
    }

    @Test func device_subscribesForItself_andIsForgottenWithItsSubscription() async throws {
        let box = try await WebBox()
        let (one, two) = (try await box.pair(), try await box.pair(.chatOnly))
        #expect(try box.post("/api/push", subscribe("https://push.example.invalid/1"), cookie: one).status == 200)
        let own = try line(box.post("/api/push", #"{"op":"key"}"#, cookie: one))
        #expect(own["key"] as? String == "key" && own["endpoint"] as? String == "https://push.example.invalid/1")
        #expect(own["words"] as? [String] == ["turn", "parked"])
        // The other one learns nothing of it, and nothing of the machine.
        #expect(try line(box.post("/api/push", #"{"op":"key"}"#, cookie: two))["words"] as? [String] == ["turn"])
        #expect(try line(box.post("/api/push", #"{"op":"key"}"#, cookie: two))["endpoint"] == nil)
        #expect(box.audit.all.contains { $0.contains("by push.example.invalid") })
        #expect(!box.audit.all.contains { $0.contains("/1") }, "the address is as good as a secret")
        #expect(try box.post("/api/push", #"{"op":"unsubscribe"}"#, cookie: one).status == 200)
        #expect(try line(box.post("/api/push", #"{"op":"key"}"#, cookie: one))["endpoint"] == nil)
        #expect(try box.post("/api/push", subscribe("https://push.example.invalid/2"), cookie: two).status == 200)
        let device = try #require(try await box.store.devices().first { $0.role == .chatOnly })
        _ = try box.post("/api/devices", #"{"op":"leave"}"#, cookie: two)
        #expect(try await box.store.subscription(of: device.id) == nil)
    }

    @Test func stranger_isRefused() async throws {
        let box = try await WebBox()
        #expect(try box.post("/api/push", subscribe("https://push.example.invalid/1")).status == 401)
        #expect(try box.post("/api/push", #"{"op":"key"}"#).status == 401)
    }

    @Test func whatCanBeNoSubscription_isRefused() async throws {
        let box = try await WebBox()
        let cookie = try await box.pair()
        for body in [
            subscribe("http://push.example.invalid/1"), subscribe("file:///etc/passwd"), subscribe("https://"),
            subscribe("https://a:b@push.example.invalid/"), subscribe("https://push.example.invalid/", key: "AAAA"),
            subscribe("https://push.example.invalid/", auth: "AAAA"),
            subscribe("https://push.example.invalid/", key: "%%"),
            // 65 bytes that begin as a point does, and are none of the curve.
            subscribe("https://push.example.invalid/", key: "BA" + String(repeating: "QE", count: 42) + "Q"),
            subscribe("https://push.example.invalid/", key: String(self.key.dropLast(2)) + "w8"),
            #"{"op":"subscribe"}"#, #"{"op":"tell"}"#, "[]",
        ] {
            let answer = try box.post("/api/push", body, cookie: cookie)
            #expect(answer.status == 400, "\(body): \(answer.status)")
        }
        let device = try #require(try await box.store.devices().first)
        #expect(try await box.store.subscription(of: device.id) == nil)
    }
}
