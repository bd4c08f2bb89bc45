import AgentModel
import Chat
import Cryptography
import Foundation
import Outgoing
import Synchronization
import Testing

@testable import Outbox

/// Words on their way: tried, tried again, given up; never twice to one who took them.
@Suite(.timeLimit(.minutes(1))) final class CourierTests {
    private let directory = FileManager.default.temporaryDirectory.path + "/nexus-courier-\(UUID().uuidString)"
    private let store: ChatStore
    private let port = StandIn()
    private let log = Lines()

    init() throws { store = try ChatStore(directory: directory) }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private func courier() throws -> Courier {
        Courier(
            store: store, port: port,
            webhook: try Webhook(url: "https://hook.example.invalid/x", secret: Data("0123456789abcdef\n".utf8)),
            push: PushService(key: try PushKey(P256Key()), contact: nil, mayBePrivate: false)
        ) { [log] in log.add($0) }
    }

    /// Makes a word of this turn's end, as the hub's events do.
    private func say(_ turn: Int64, webhook: Bool = true) async throws {
        let rules = WordRules(
            send: [.turn], withTitle: false, webhook: webhook ? "https://hook.example.invalid/x" : nil,
            mayPushToPrivate: false)
        let (added, ring) = AsyncStream<Void>.makeStream()
        let book = WordBook(store: store, rules: rules) {
            ring.yield()
        } trouble: {
            Issue.record("\($0)")
        }
        let task = Task { await book.run() }
        book.hear(
            ChatEvent(
                number: nil, session: SessionID(rawValue: "s"), turn: TurnID(rawValue: turn),
                what: .ended(.done, reason: nil)))
        for await _ in added { break }
        task.cancel()
    }

    private func pair(_ id: String, point: Data? = nil) async throws {
        let device = Device(
            id: DeviceID(rawValue: id), name: "phone", role: .owner, created: 0, seen: 0, address: "127.0.0.1")
        try await store.add(device, tokenHash: [UInt8](repeating: id.utf8.first ?? 0, count: 32))
        let subscription = try #require(
            PushSubscription(
                endpoint: "https://push.example.invalid/\(id)", publicKey: point ?? Data(P256Key().point()),
                secret: Data(repeating: 3, count: 16)))
        try await store.subscribe(device.id, subscription)
    }

    private var waiting: Int {
        get async throws { try await store.dueDeliveries(now: .distantFuture, limit: 999).count }
    }

    @Test func webhook_getsEachWordOnce_signed() async throws {
        try await say(1)
        let courier = try courier()
        #expect(try await courier.bringWhatIsDue() == nil)
        let call = try #require(port.calls.first)
        #expect(port.calls.count == 1 && call.url == "https://hook.example.invalid/x")
        let header = { name in call.headers.first { $0.name == name }?.value ?? "" }
        let signed =
            "\(header("webhook-id")).\(header("webhook-timestamp")).\(call.body.map { String(decoding: $0, as: UTF8.self) } ?? "")"
        let code = try HMACSHA256.code(of: Array(signed.utf8), key: SecretBytes("0123456789abcdef".utf8))
        #expect(header("webhook-signature") == "v1," + Data(code).base64EncodedString())
        let body = try #require(
            try JSONSerialization.jsonObject(with: Data(call.body ?? [])) as? [String: Any])
        #expect(body["kind"] as? String == "turn" && body["state"] as? String == "done")
        #expect(body["id"] as? String == header("webhook-id") && body["title"] == nil)
        // The same end of the same turn again says nothing.
        let known = try await waiting
        #expect(known == 0)
    }

    @Test func receiverThatFails_isTriedAgainLater_withTheSameID() async throws {
        try await say(1)
        port.answer = .success(OutgoingAnswer(status: 503, retryAfter: 60))
        let courier = try courier()
        let pause = try #require(try await courier.bringWhatIsDue())
        #expect(pause > .seconds(50), "what it asks for is granted")
        #expect(port.calls.count == 1 && log.all.count == 1)
        port.answer = .success(OutgoingAnswer(status: 204))
        let later = try #require(try await store.dueDeliveries(now: .distantFuture, limit: 1).first)
        #expect(later.tries == 1)
        try await store.postpone(later, until: .distantPast)
        #expect(try await courier.bringWhatIsDue() == nil)
        let ids = port.calls.map { call in call.headers.first { $0.name == "webhook-id" }?.value }
        #expect(ids.count == 2 && Set(ids).count == 1)
        #expect(try await waiting == 0)
    }

    @Test(arguments: [301, 400, 401, 403, 413]) func receiverThatRefuses_isNotAskedAgain(status: Int) async throws {
        try await say(1)
        port.answer = .success(OutgoingAnswer(status: status))
        #expect(try await courier().bringWhatIsDue() == nil)
        #expect(try await waiting == 0)
        #expect(log.all.count == 1 && log.all[0].contains("\(status)"), "\(log.all)")
    }

    @Test(arguments: [404, 410]) func pushServiceThatForgot_isForgotten(status: Int) async throws {
        try await pair("aaaaaa")
        try await say(1, webhook: false)
        try await say(2, webhook: false)
        port.answer = .success(OutgoingAnswer(status: status))
        #expect(try await courier().bringWhatIsDue() == nil)
        #expect(try await store.subscription(of: DeviceID(rawValue: "aaaaaa")) == nil)
        #expect(try await waiting == 0)
    }

    @Test func deviceThatIsShutOut_isToldNothing_notEvenWhatWaits() async throws {
        try await pair("aaaaaa")
        try await pair("bbbbbb")
        try await say(1, webhook: false)
        try await store.revoke(DeviceID(rawValue: "aaaaaa"))
        #expect(try await courier().bringWhatIsDue() == nil)
        #expect(port.calls.map(\.url) == ["https://push.example.invalid/bbbbbb"])
    }

    @Test func pushMessage_isSealedAndBounded() async throws {
        try await pair("aaaaaa")
        try await say(1, webhook: false)
        _ = try await courier().bringWhatIsDue()
        let call = try #require(port.calls.first)
        #expect(call.httpsOnly && call.reach == .publicOnly && (call.body?.count ?? 0) < 4096)
        let header = { name in call.headers.first { $0.name == name }?.value ?? "" }
        #expect(header("Content-Encoding") == "aes128gcm" && header("TTL") == "43200" && header("Urgency") == "normal")
        #expect(header("Topic").count <= 32 && header("Authorization").hasPrefix("vapid t="))
        #expect(!String(decoding: call.body ?? [], as: UTF8.self).contains("done"))
    }

    @Test func deviceWhoseKeyIsNoPoint_isGivenUp_andSaid() async throws {
        try await pair("aaaaaa", point: Data([4] + [UInt8](repeating: 7, count: 64)))
        try await say(1, webhook: false)
        #expect(try await courier().bringWhatIsDue() == nil)
        #expect(port.calls.isEmpty)
        #expect(try await waiting == 0)
        #expect(log.all.count == 1 && log.all[0].contains("no point of the curve"), "\(log.all)")
    }

    @Test func patience_growsAndEnds() {
        func pause(_ tries: Int, hours: Int = 0, asked: Duration? = nil) -> Duration? {
            Patience.pause(after: tries, age: .seconds(hours * 3600), asked: asked)
        }
        #expect((0...8).map { pause($0) } == [5, 10, 20, 40, 80, 160, 320, 640, 900].map { .seconds($0) })
        #expect(pause(1_000_000, hours: 1) == .seconds(900))
        #expect(pause(0, asked: .seconds(86_400)) == .seconds(3600))
        #expect(pause(3, hours: 12) == nil)
    }

    @Test func secretOfTheWebhook_isReadInBothForms() throws {
        #expect(throws: Never.self) {
            try Webhook(url: "https://a.invalid", secret: Data("whsec_MDEyMzQ1Njc4OWFiY2RlZg==".utf8))
        }
        for bad in ["", "short", "whsec_***", String(repeating: "x", count: 65)] {
            #expect(throws: Webhook.Refusal.self) { try Webhook(url: "https://a.invalid", secret: Data(bad.utf8)) }
        }
    }
}

/// Keeps what it is to call, and answers what the test wants.
final class StandIn: OutgoingPort {
    private let state = Mutex<(calls: [OutgoingCall], answer: Result<OutgoingAnswer, OutgoingFailure>)>(
        ([], .success(OutgoingAnswer(status: 201))))

    var calls: [OutgoingCall] { state.withLock { $0.calls } }
    var answer: Result<OutgoingAnswer, OutgoingFailure> {
        get { state.withLock { $0.answer } }
        set { state.withLock { $0.answer = newValue } }
    }

    func send(_ call: OutgoingCall) async throws(OutgoingFailure) -> OutgoingAnswer {
        try state.withLock { state in
            state.calls.append(call)
            return state.answer
        }.get()
    }
}

/// Lines, from any task.
final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}
