import Foundation
import WorkerKit

/// What Supervisor.toml says to this worker.
struct Settings: Sendable {
    /// Telegram's own server, or one of the owner's: https, or http on this machine.
    let base: String
    /// The bot's token; never shown, never in an argument.
    let token: String
    /// The chats that are listened to; all others are strangers.
    let chats: Set<Int64>
    /// Between two calls for one chat.
    let pause: Duration
    /// Where it remembers what is under way.
    let directory: String

    private static let chatLimit = 64

    init(_ environment: [String: String]) throws(Worker.ConfigurationError) {
        base = try Self.base(environment["NEXUS_TELEGRAM_API"] ?? "https://api.telegram.org")
        token = try Self.token(environment["CREDENTIALS_DIRECTORY"])
        chats = try Self.chats(environment["NEXUS_TELEGRAM_CHATS"] ?? "")
        pause = try Self.pause(environment["NEXUS_TELEGRAM_PAUSE_MS"] ?? "1000")
        guard let directory = environment["STATE_DIRECTORY"] else {
            throw .init("no place to remember: set state-directory = \"telegram\" in [child.telegram-bridge]")
        }
        self.directory = directory
    }

    private static func base(_ text: String) throws(Worker.ConfigurationError) -> String {
        let parts = URLComponents(string: text)
        let isLocal = ["127.0.0.1", "localhost", "[::1]", "::1"].contains(parts?.host)
        guard let parts, parts.host?.isEmpty == false, parts.user == nil, parts.query == nil, parts.fragment == nil,
            parts.scheme == "https" || parts.scheme == "http" && isLocal
        else {
            throw .init("NEXUS_TELEGRAM_API is no https address, or http address on this machine: the token goes there")
        }
        return text
    }

    private static func token(_ directory: String?) throws(Worker.ConfigurationError) -> String {
        guard let directory,
            let data = try? Data(contentsOf: URL(fileURLWithPath: directory + "/telegram-token"))
        else {
            throw .init(
                "the bot's token is not there: set secrets = [\"telegram-token\"] in [child.telegram-bridge] and "
                    + "[secret.telegram-token] file = \"…\"")
        }
        let token = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        // 123456789:AA…, as BotFather writes it: nothing that could become another path.
        guard token.wholeMatch(of: #/[0-9]{1,20}:[A-Za-z0-9_-]{8,128}/#) != nil else {
            throw .init("the secret telegram-token has not the form of a bot's token (123456789:AA…)")
        }
        return token
    }

    private static func pause(_ text: String) throws(Worker.ConfigurationError) -> Duration {
        guard let milliseconds = Int(text), (20...60_000).contains(milliseconds) else {
            throw .init("NEXUS_TELEGRAM_PAUSE_MS is a number of milliseconds from 20 to 60000, found \"\(text)\"")
        }
        return .milliseconds(milliseconds)
    }

    private static func chats(_ text: String) throws(Worker.ConfigurationError) -> Set<Int64> {
        let words = text.split { $0 == "," || $0 == " " }
        let numbers = words.compactMap { Int64($0) }
        guard !numbers.isEmpty, numbers.count == words.count, numbers.count <= chatLimit else {
            throw .init(
                "NEXUS_TELEGRAM_CHATS names the chats that are listened to: 1 to \(chatLimit) numbers with commas between "
                    + "them, found \"\(text)\"")
        }
        return Set(numbers)
    }
}
