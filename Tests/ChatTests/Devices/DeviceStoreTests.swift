import Chat
import Foundation
import Testing

@Suite(.timeLimit(.minutes(1)))
struct DeviceStoreTests {
    private let now = Date(timeIntervalSince1970: 1_800_000_000)
    private let hash = [UInt8](repeating: 7, count: 32)

    private func device(_ id: String, at: Date) -> Device {
        let time = Int64(at.timeIntervalSince1970 * 1000)
        return Device(
            id: DeviceID(rawValue: id), name: "phone", role: .chatOnly, created: time, seen: time, address: "127.0.0.1")
    }

    @Test func device_isFoundByTheHashOfItsToken_alsoAfterARestart_untilItIsRevoked() async throws {
        let box = try StoreBox()
        try await box.store.add(device("a", at: now), tokenHash: hash)
        try box.reopen()
        #expect(try await box.store.device(tokenHash: hash, address: "127.0.0.1", now: now)?.role == .chatOnly)
        #expect(try await box.store.device(tokenHash: [UInt8](repeating: 8, count: 32), address: "x", now: now) == nil)
        try await box.store.revoke(DeviceID(rawValue: "a"))
        #expect(try await box.store.device(tokenHash: hash, address: "127.0.0.1", now: now) == nil)
        let error = await #expect(throws: ChatError.self) { try await box.store.revoke(DeviceID(rawValue: "a")) }
        #expect(error?.code == .unknown)
    }

    @Test func revokedTokens_areKnownAsSuch_theNewestOnes() async throws {
        let box = try StoreBox()
        func hash(_ number: Int) -> [UInt8] { self.hash.dropLast(2) + [UInt8(number >> 8), UInt8(number & 255)] }
        for number in 0...ChatStore.revokedLimit {
            try await box.store.add(device("d\(number)", at: now), tokenHash: hash(number))
            try await box.store.revoke(DeviceID(rawValue: "d\(number)"), now: now + Double(number))
        }
        try box.reopen()
        #expect(try await !box.store.isRevoked(tokenHash: hash(0)))
        for number in 1...ChatStore.revokedLimit { #expect(try await box.store.isRevoked(tokenHash: hash(number))) }
        #expect(try await !box.store.isRevoked(tokenHash: hash(ChatStore.revokedLimit + 1)))
    }

    @Test func deviceThatStaysAway_isForgotten_oneThatComesIsNot() async throws {
        let box = try StoreBox()
        try await box.store.add(device("a", at: now), tokenHash: hash)
        let day: TimeInterval = 86_400
        #expect(try await box.store.device(tokenHash: hash, address: "b", now: now + 179 * day) != nil)
        #expect(try await box.store.device(tokenHash: hash, address: "b", now: now + 358 * day) != nil)
        #expect(try await box.store.device(tokenHash: hash, address: "b", now: now + 540 * day) == nil)
    }

    /// An answer may be open for hours: its end is when the device was here last.
    @Test func deviceWhoseAnswerEnds_wasSeenThen_andNeverEarlier() async throws {
        let box = try StoreBox()
        try await box.store.add(device("a", at: now), tokenHash: hash)
        for (after, seen) in [(30.0, 0.0), (7200, 7200), (3600, 7200), (7230, 7200), (7260, 7260)] {
            await box.store.saw(DeviceID(rawValue: "a"), now: now + after)
            let expected = Int64((now + seen).timeIntervalSince1970 * 1000)
            #expect(try await box.store.devices().map(\.seen) == [expected], "\(after)")
        }
        await box.store.saw(DeviceID(rawValue: "nobody"), now: now)
    }

    @Test func tooManyDevices_oneMoreIsRefusedInWords() async throws {
        let box = try StoreBox()
        for number in 0..<ChatStore.deviceLimit {
            try await box.store.add(device("d\(number)", at: now), tokenHash: hash.dropLast() + [UInt8(number)])
        }
        let error = await #expect(throws: ChatError.self) {
            try await box.store.add(device("more", at: now), tokenHash: hash.dropLast() + [255])
        }
        #expect(error?.message.contains("nexusctl devices revoke") == true)
    }
}
