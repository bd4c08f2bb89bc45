import Foundation
import Outgoing

/// Looks at the chat as cloudflared reaches it: whether it answers, and whether it keeps strangers out.
public struct ChatDoor: Hashable, Sendable {
    /// chat-bridge's socket.
    public var socket: String
    /// The name under which visitors come.
    public var host: String

    /// Both.
    public init(socket: String, host: String) {
        self.socket = socket
        self.host = host
    }

    /// The page's first file, for a comparison with what the public address gives.
    static let canary = "/page.webmanifest"

    /// What the socket gives for the canary; the error says why it gives nothing. With a question, its mark too.
    func page(_ asked: Nonce? = nil) async throws(OutgoingFailure) -> OutgoingAnswer {
        try await HTTPLook(
            url: "http://\(host)\(Self.canary)", way: .socket(socket),
            headers: [("X-Forwarded-Proto", "https")] + (asked.map { [$0.header] } ?? []), keeping: Nonce.answer
        ).answer()
    }

    /// A fresh question of the canary: chat-bridge answers it with the mark of this run of its own, which no other has (ChatWeb,
    /// PageMark).
    struct Nonce: Hashable, Sendable {
        /// The header with the mark.
        static let answer = "X-Nexus-Mark"
        /// 32 hexadecimal digits.
        let text = (0..<4).map { _ in
            let word = String(UInt32.random(in: .min ... .max), radix: 16)
            return String(repeating: "0", count: 8 - word.count) + word
        }.joined()

        /// As it is asked.
        var header: (name: String, value: String) { ("X-Nexus-Nonce", text) }
    }

    /// The chat serves its page.
    public func answers() async -> Bool { (try? await page())?.status == 200 }

    /// What a stranger without a device may do.
    public func look() async -> DoorLook {
        let look = HTTPLook(
            url: "http://\(host)/api/devices", way: .socket(socket),
            headers: [
                ("X-Forwarded-Proto", "https"), ("X-Nexus", "1"), ("Origin", "https://\(host)"),
                ("Content-Type", "application/json"),
            ], body: #"{"op":"own"}"#)
        guard let answer = try? await look.answer() else { return .unseen }
        return answer.status == 200 ? .open("the chat answers to strangers: nothing asks them for a pairing") : .shut
    }
}

/// What a door that is to be shut was found to be.
public enum DoorLook: Hashable, Sendable {
    /// In words.
    case open(String)
    /// Strangers were refused.
    case shut
    /// Nobody answered: it lets nobody in now, and whoever comes to answer there may.
    case unseen

    /// Of two doors.
    public func and(_ other: DoorLook) -> DoorLook {
        switch (self, other) {
        case (.open, _): self
        case (_, .open): other
        case (.shut, .shut): .shut
        case (.unseen, _), (_, .unseen): .unseen
        }
    }
}

/// Looks at the agent's own port: it is never to be reached but by agent-worker.
public enum AgentDoor {
    /// Who may talk to it.
    public static func look(port: UInt16) async -> DoorLook {
        for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
            if let address = beyondLoopback(port: port, table: NetworkRoutes.contents(path)) {
                return .open(
                    "the agent listens on \(address), not on this machine alone: --hostname 127.0.0.1 in its command")
            }
        }
        let look = HTTPLook(url: "http://127.0.0.1:\(port)/global/health")
        // What it answers to that path is nothing to go by: one that asks for a password does so before it looks at that.
        guard let answer = try? await look.answer() else { return .unseen }
        return [401, 403].contains(answer.status)
            ? .shut : .open("the agent answers without a password: OPENCODE_SERVER_PASSWORD in its environment")
    }

    /// The address of a listener on this port that others reach (proc(5), net/tcp: local address, remote, state 0A).
    static func beyondLoopback(port: UInt16, table: String) -> String? {
        for line in table.split(separator: "\n").dropFirst() {
            let fields = line.split(separator: " ")
            guard fields.count > 3, fields[3] == "0A" else { continue }
            let parts = fields[1].split(separator: ":")
            guard parts.count == 2, UInt16(parts[1], radix: 16) == port else { continue }
            let address = String(parts[0])
            // The kernel's words of an address are in the machine's order: the first byte is the last.
            let isLoopback =
                address.count == 8
                ? address.hasSuffix("7F")
                : address == "00000000000000000000000001000000"
                    || address.hasPrefix("0000000000000000FFFF0000")
                        && address.hasSuffix("7F")
            if !isLoopback { return address.allSatisfy { $0 == "0" } ? "every address" : "address \(address)" }
        }
        return nil
    }
}
