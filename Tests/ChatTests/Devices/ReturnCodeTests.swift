import Foundation
import Testing

@testable import Chat

/// Links by which known devices come in again where an address does not last.
@Suite(.timeLimit(.minutes(1))) struct ReturnCodeTests {
    private static let rules = WordRules(
        send: [.address], withTitle: false, webhook: "https://hook.example.invalid", mayPushToPrivate: false)
    private static let hour: Int64 = 3_600_000

    /// Two owners, of whom the second was here last, and a guest; the first owner and the guest are told things.
    private func box() async throws -> StoreBox {
        let box = try StoreBox()
        for (number, (id, role)) in [("first", DeviceRole.owner), ("last", .owner), ("guest", .chatOnly)].enumerated() {
            let device = Device(
                id: DeviceID(rawValue: id), name: id, role: role, created: 0, seen: Int64(number), address: "::1")
            try await box.store.add(device, tokenHash: Self.hash("token of \(id)"))
            guard id != "last" else { continue }
            let subscription = try #require(
                PushSubscription(
                    endpoint: "https://push.example.invalid/\(id)",
                    publicKey: Data([4] + [UInt8](repeating: 1, count: 64)),
                    secret: Data(count: 16)))
            try await box.store.subscribe(device.id, subscription)
        }
        return box
    }

    /// Enough of a hash for a test.
    private static func hash(_ text: String) -> [UInt8] {
        var bytes = Array(text.utf8.suffix(32))
        bytes += [UInt8](repeating: 0, count: 32 - bytes.count)
        return bytes
    }

    /// Tells a new address at the time 0; links by receiver.
    private func tell(_ box: StoreBox, _ name: String, lasts: Bool = false) async throws -> [String: String] {
        let isNew = try await box.store.add(
            .address("https://\(name).example.invalid", lasts: lasts), id: name, Self.rules, now: 0
        ) { device in
            let text = "code-of-\(name)-for-\(device)"
            return ReturnCode(text: text, hash: Self.hash(text))
        }
        #expect(isNew)
        var links: [String: String] = [:]
        for delivery in try await box.store.dueDeliveries(now: .distantFuture, limit: 9) {
            let word = try StoreBox.object(Array(delivery.body.utf8))
            #expect(word["url"] as? String == "https://\(name).example.invalid")
            guard let link = word["link"] as? String, let device = word["device"] as? String else { continue }
            let receiver =
                if case .device(let id, _) = delivery.receiver { id.rawValue } else { "webhook for \(device)" }
            links[receiver] = link
        }
        return links
    }

    @Test func addressThatDoesNotLast_hasALinkForEachReceiver_ofItsOwnDevice() async throws {
        let links = try await tell(try await box(), "a")
        #expect(
            links == [
                "first": "https://a.example.invalid/#again=code-of-a-for-first",
                "guest": "https://a.example.invalid/#again=code-of-a-for-guest",
                "webhook for last": "https://a.example.invalid/#again=code-of-a-for-last",
            ])
    }

    @Test func addressThatLasts_hasNone() async throws {
        #expect(try await tell(try await box(), "a", lasts: true).isEmpty)
    }

    @Test func code_letsItsDeviceInOnce_andEndsItsTokenOfBefore() async throws {
        let box = try await box()
        _ = try await tell(box, "a")
        let code = Self.hash("code-of-a-for-guest")
        let now = Date(timeIntervalSince1970: 60)
        #expect(try await box.store.returning(codeHash: code, now: now)?.rawValue == "guest")
        let back = try await box.store.readmit(codeHash: code, tokenHash: Self.hash("new"), address: "::2", now: now)
        #expect(
            back?.id.rawValue == "guest" && back?.role == .chatOnly && back?.name == "guest" && back?.address == "::2")
        #expect(try await box.store.device(tokenHash: Self.hash("new"), address: "::2", now: now)?.id == back?.id)
        #expect(try await box.store.device(tokenHash: Self.hash("token of guest"), address: "::2", now: now) == nil)
        // It is told things as before.
        #expect(try await box.store.subscription(of: DeviceID(rawValue: "guest")) != nil)
        #expect(try await box.store.readmit(codeHash: code, tokenHash: Self.hash("x"), address: "::3", now: now) == nil)
        #expect(try await box.store.devices().count == 3)
    }

    @Test func code_isOldAfter12Hours_orWithAnotherAddress_orWithoutItsDevice() async throws {
        let box = try await box()
        _ = try await tell(box, "a")
        let code = Self.hash("code-of-a-for-first")
        func whose(_ time: Int64) async throws -> DeviceID? {
            try await box.store.returning(codeHash: code, now: Date(timeIntervalSince1970: Double(time) / 1000))
        }
        #expect(try await whose(12 * Self.hour - 1) != nil)
        #expect(try await whose(12 * Self.hour) == nil)
        #expect(
            try await box.store.readmit(
                codeHash: code, tokenHash: Self.hash("x"), address: "::1",
                now: Date(timeIntervalSince1970: Double(12 * Self.hour) / 1000)) == nil)
        _ = try await tell(box, "b")
        #expect(try await whose(0) == nil)
        try await box.store.revoke(DeviceID(rawValue: "first"))
        #expect(try await box.store.returning(codeHash: Self.hash("code-of-b-for-first"), now: .distantPast) == nil)
    }

    @Test func code_takesFiveWrongPasswords() async throws {
        let box = try await box()
        _ = try await tell(box, "a")
        let code = Self.hash("code-of-a-for-last")
        for _ in 0..<5 { #expect(try await box.store.tryPassword(beside: code)) }
        #expect(try await box.store.tryPassword(beside: code) == false)
        #expect(try await box.store.returning(codeHash: code, now: .distantPast) == nil)
    }
}
