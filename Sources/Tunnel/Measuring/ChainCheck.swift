import Foundation
import Outgoing

/// Follows the way of a visitor: from the public address through the tunnel to the chat, compared with what the chat gives
/// on its own socket.
public struct ChainCheck: Hashable, Sendable {
    private let url: String
    private let socket: String
    private let edge: String?

    /// What was found at one hop.
    public struct Verdict: Hashable, Sendable {
        /// It carries.
        public var isGood: Bool
        /// What was seen.
        public var words: String
        /// What it says of the tunnel, for a hop that is beyond it.
        public var look: OutsideLook

        /// All of it.
        public init(_ isGood: Bool, _ words: String, _ look: OutsideLook? = nil) {
            self.isGood = isGood
            self.words = words
            self.look = look ?? (isGood ? .here : .unsaid)
        }
    }

    /// - Parameters:
    ///   - url: `https://…`, without a path.
    ///   - edge: `HOST:PORT` to be asked instead, without TLS; for tests.
    public init(url: String, socket: String, edge: String?) {
        self.url = url
        self.socket = socket
        self.edge = edge
    }

    private var host: String { url.replacingOccurrences(of: "https://", with: "") }

    /// The chat on its own socket.
    public func bridge() async -> Verdict {
        do {
            let answer = try await ChatDoor(socket: socket, host: host).page()
            return answer.status == 200
                ? Verdict(true, "the chat serves its page on its socket, by which the tunnel comes")
                : Verdict(false, "the chat answers with \(answer.status)")
        } catch {
            return Verdict(false, "the chat does not answer on \(socket): \(error)")
        }
    }

    /// The public address: it must give what the socket gives, with the mark of the chat-bridge that runs here. The page alone is
    /// every machine's.
    public func outside() async -> Verdict {
        let address = edge == nil ? url : "http://\(host)"
        let asked = ChatDoor.Nonce()
        let look = HTTPLook(
            url: address + ChatDoor.canary, way: edge.map { .through($0) } ?? .asTheURLSays, headers: [asked.header],
            limit: .seconds(10), keeping: ChatDoor.Nonce.answer)
        let door = ChatDoor(socket: socket, host: host)
        do {
            // It may be started anew while the look outside is on its way: either of the two may have answered that.
            let before = try? await door.page(asked)
            let answer = try await look.answer()
            switch answer.status {
            case 200: break
            case 530: return Verdict(false, "Cloudflare knows of no connection of this tunnel (530)", .lost)
            case 502: return Verdict(false, "the tunnel does not reach the chat (502)", .lost)
            // Cloudflare's own, of an origin that it does not reach.
            case 504, 520...527: return Verdict(false, "\(url) answers with \(answer.status)", .lost)
            case 503: return Verdict(false, "the tunnel has no rules yet (503)")
            case 404: return Verdict(false, "no rule of the tunnel is for \(host) (404)")
            case 301, 302, 303, 307, 308, 401, 403:
                return Verdict(false, "something in front of the tunnel asks who comes (\(answer.status))", .asked)
            case let status: return Verdict(false, "\(url) answers with \(status)")
            }
            if let before, isThisMachines(answer, before) { return here }
            guard let after = try? await door.page(asked) else {
                return Verdict(
                    false, "\(url) answers, and the chat does not on \(socket): whose page it is cannot be said")
            }
            return isThisMachines(answer, after) ? here : elsewhere(answer, after)
        } catch {
            let words = "\(url) does not answer: \(error)"
            // Who takes a request and holds it has a tunnel that carries nothing; who is not reached says nothing of any tunnel.
            guard case .timedOut = error, await UplinkLook(places: [edge ?? "\(host):443"]).connects() else {
                return Verdict(false, words, .unreached)
            }
            return Verdict(false, words, .lost)
        }
    }

    private var here: Verdict { Verdict(true, "\(url) leads to this machine's page") }

    private func isThisMachines(_ answer: OutgoingAnswer, _ own: OutgoingAnswer) -> Bool {
        // A chat-bridge of a version before this one has no mark.
        answer.kept == own.kept && answer.body == own.body
    }

    /// It is a page of Nexus by its mark, or as it looks.
    private func elsewhere(_ answer: OutgoingAnswer, _ own: OutgoingAnswer) -> Verdict {
        guard answer.kept != nil || answer.body == own.body else {
            return Verdict(false, "\(url) answers, but not with this machine's page")
        }
        return Verdict(
            false,
            "\(url) answers with another machine's page: a second connector of this tunnel runs there, or the name leads there "
                + "(or something on the way gives out a copy of the page)", .anothers)
    }
}

/// What a look of our own through the public address says of the tunnel.
public enum OutsideLook: Hashable, Sendable {
    /// It carries: this machine's page.
    case here
    /// Cloudflare's own error of a tunnel that it does not reach, or no answer though the request was taken.
    case lost
    /// Another machine's page: that is none of this tunnel's doing, and no restart of it mends that.
    case anothers
    /// Nothing: something in front of it answers first.
    case asked
    /// Nothing: something else answered.
    case unsaid
    /// Nobody answered at all: of a tunnel that says nothing, of the line beyond this machine's router it may.
    case unreached
}

extension ChainCheck.Verdict {
    private struct Child: Decodable {
        var state: String
        var status: String?
        /// What was last wrong with it; nil: nothing.
        var health: String?
    }

    /// A turn can be taken: opencode runs, nobody complains of it, and agent-worker is there and is connected to it.
    /// - Parameters: nexusd's answers to `status`; nil: it knows of no such child.
    public static func agent(opencode: [UInt8]?, worker: [UInt8]?) -> Self {
        func read(_ answer: [UInt8]?) -> Child? {
            answer.flatMap { try? JSONDecoder().decode(Child.self, from: Data($0)) }
        }
        guard let agent = read(opencode) else { return Self(false, "not there: nexusd knows of no child opencode") }
        guard let worker = read(worker) else { return Self(false, "not there: nexusd knows of no child agent-worker") }
        guard agent.state == "ready" else { return Self(false, "opencode is \(agent.state): nexusctl why opencode") }
        guard worker.state == "ready" else {
            return Self(
                false, "agent-worker is \(worker.state), by which the chat reaches it: nexusctl why agent-worker")
        }
        if let complaint = agent.health { return Self(false, "opencode is not well; \(complaint)") }
        let words = worker.status ?? "it does not say whether opencode answers"
        return Self(words.hasPrefix("connected"), "opencode is ready; agent-worker: \(words)")
    }

    /// The same, and agent-worker answers now: one that hangs is as ready for nexusd as it was.
    /// - Parameter asked: chat-bridge's answer to `agent`, for which it asks agent-worker; nil: chat-bridge gives none, and that
    ///   is for its own hop to say.
    public func agent(asked: [UInt8]?) -> Self {
        struct Hop: Decodable {
            var good: Bool
            var words: String
        }
        guard isGood else { return self }
        guard let asked else {
            return Self(true, "\(words) (as nexusd has it: the chat, which would ask it, does not answer)")
        }
        guard let hop = try? JSONDecoder().decode(Hop.self, from: Data(asked)) else {
            return Self(false, "chat-bridge's answer about agent-worker cannot be read; is it of another version?")
        }
        return Self(hop.good, hop.good ? "opencode is ready; \(hop.words)" : hop.words)
    }
}
