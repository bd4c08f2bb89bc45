import Chat
import ChatWeb
import Foundation
import Outbox
import Outgoing
import WorkerKit

/// Word out of what needs the owner, as `[word]` of Supervisor.toml wants it: what happens in the chat and in the tree
/// becomes words, and these are brought by push services and the webhook. The chat waits for none of it.
struct WordOut: Sendable {
    /// Hears what happens.
    let book: WordBook
    private let pushKey: PushKey?
    private let courier: Courier
    private let rules: WordRules
    private let bus: Bus

    /// Nil: nothing is to be said.
    init?(_ environment: [String: String], _ store: ChatStore, _ bus: Bus) throws {
        let given = try Environment(variables: environment).value("NEXUS_WORD", "{word}", WordRules.init)
        guard let rules = given, !rules.send.isEmpty else { return nil }
        self.rules = rules
        self.bus = bus
        pushKey = Self.pushKey(of: store)
        let push = pushKey.map {
            PushService(
                key: $0, contact: rules.contact ?? environment["NEXUS_CHAT_URL"].flatMap { $0.isEmpty ? nil : $0 },
                mayBePrivate: rules.mayPushToPrivate)
        }
        let courier = Courier(
            store: store, port: OutgoingClient(environment: environment), webhook: Self.webhook(rules, environment),
            push: push
        ) { Log.warning("word: \($0)") }
        self.courier = courier
        book = WordBook(
            store: store, rules: rules,
            returning: { device in
                Log.notice(
                    "access: a link was made by which device \(device) may come back, once, under the new address")
                return .random()
            }, added: { courier.wake() }, trouble: { Log.error("word: \($0)") })
    }

    /// Where devices say that they want to be told; nil: there is no push.
    func desk(_ store: ChatStore, audit: @escaping @Sendable (String) -> Void) -> PushDesk? {
        pushKey.map {
            PushDesk(
                store: store, publicKey: $0.publicText,
                kinds: Word.Kind.allCases.filter(rules.send.contains), audit: audit)
        }
    }

    /// Until its task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await book.run() }
            group.addTask { await courier.run() }
            if rules.send.contains(.parked) { group.addTask { await TreeEar(bus: bus, book: book).run() } }
        }
    }

    // What is wrong with a way out keeps nobody from the chat: it is said, and the other way is taken.
    private static func pushKey(of store: ChatStore) -> PushKey? {
        do {
            return try PushKey(directory: (store.path as NSString).deletingLastPathComponent)
        } catch {
            Log.error("word: no push: \(error)")
            return nil
        }
    }

    private static func webhook(_ rules: WordRules, _ environment: [String: String]) -> Webhook? {
        guard let url = rules.webhook else { return nil }
        let remedy = "set secrets = [\"webhook\"] in [child.chat-bridge] and [secret.webhook] file = \"…\""
        guard let directory = environment["CREDENTIALS_DIRECTORY"],
            let secret = try? Data(contentsOf: URL(fileURLWithPath: directory + "/webhook"))
        else {
            Log.error("word: no webhook: its secret is not there; \(remedy)")
            return nil
        }
        do {
            return try Webhook(url: url, secret: secret)
        } catch {
            Log.error("word: no webhook: \(error)")
            return nil
        }
    }
}
