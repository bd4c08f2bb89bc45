import Foundation
import Wire

/// The rules in force, as /config has them: the file's own, or those that Cloudflare's dashboard pushed.
public struct IngressRules: Hashable, Sendable, Decodable {
    /// -1: only the file's own, as long as nothing was pushed.
    public var version: Int
    /// In the order in which they are tried.
    public var rules: [Rule]
    /// Names of what `warp-routing` sets; empty: nothing, or that it is off.
    public var warpRouting: [String] = []

    /// One rule.
    public struct Rule: Hashable, Sendable, Decodable {
        /// Empty, `*` or nil: every name.
        public let hostname: String?
        /// A regular expression; empty or nil: every path.
        public let path: String?
        /// Where it leads.
        public let service: String
        /// As visitors' are compared with it; empty: every one.
        private let name: String
        /// Of `IngressRules.paths`, those that its expression is found in.
        private let found: Set<String>

        /// All of it.
        public init(hostname: String? = nil, path: String? = nil, service: String) {
            self.hostname = hostname
            self.path = path
            self.service = service
            let name = hostname ?? ""
            self.name = name == "*" ? "" : HostName.asked(name)
            let expression = path.flatMap { $0.isEmpty ? nil : $0 }
            let read = expression.map(PathExpression.init)
            found = IngressRules.paths.filter { path in read.map { $0?.isFound(in: path) ?? false } ?? true }
        }

        private enum CodingKeys: String, CodingKey { case hostname, path, service }

        /// As /config has it.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                hostname: try fields.decodeIfPresent(String.self, forKey: .hostname),
                path: try fields.decodeIfPresent(String.self, forKey: .path),
                service: try fields.decode(String.self, forKey: .service))
        }

        /// As cloudflared chooses one: by the name, where `*.` stands for any, and by an expression that is found in the path.
        /// - Parameter asked: of `HostName.asked`; the path is one of `IngressRules.paths`.
        func isFor(_ asked: String, _ path: String) -> Bool {
            (name.isEmpty || name == asked || name.hasPrefix("*.") && asked.hasSuffix(name.dropFirst()))
                && found.contains(path)
        }

        var isForAll: Bool { name.isEmpty && (path ?? "").isEmpty }

        /// The name, in words.
        var names: String { name.isEmpty ? "every name" : hostname ?? "" }

        /// What stands there as a name, `*` for every one.
        var pattern: String { name.isEmpty ? "*" : hostname ?? "*" }

        /// That it is for alone, as it is gone to; nil: it is for several, or that is no name.
        var place: String? { HostName.isValid(name) ? name : nil }
    }

    /// What a visitor asks for, and the canary.
    static let paths: Set = ["/", ChatDoor.canary]

    /// Nobody has more; names are looked for in each of so many.
    static let limit = 1000

    /// Both.
    public init(version: Int, rules: [Rule]) {
        self.version = version
        self.rules = rules
    }

    private enum CodingKeys: String, CodingKey { case version, config }
    private struct Config: Decodable {
        var ingress: [Rule]?
        var warpRouting: WarpRouting?

        enum CodingKeys: String, CodingKey {
            case ingress
            case warpRouting = "warp-routing"
        }
    }

    /// `{}` where nothing is set.
    private struct WarpRouting: Decodable {
        var names: [String]

        struct Name: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Name.self)
            let isOff = (try? fields.decode(Bool.self, forKey: Name(stringValue: "enabled"))) == false
            names = isOff ? [] : fields.allKeys.map(\.stringValue).sorted()
        }
    }

    /// From the answer of /config.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        version = try fields.decode(Int.self, forKey: .version)
        let config = try fields.decode(Config.self, forKey: .config)
        rules = config.ingress ?? []
        warpRouting = config.warpRouting?.names ?? []
    }

    /// Services that lead nowhere.
    private static let nothing: Set = ["http_status:404", "http_status:503"]

    /// Nothing was pushed, and the file's own lead nowhere. (What a token tunnel's file has is in force until something is.)
    public var areWaitedFor: Bool { version < 0 && rules.allSatisfy { Self.nothing.contains($0.service) } }

    /// What more than the chat can be reached, in words; nil: nothing.
    public func excess(chatSocket: String) -> String? {
        let chat = "unix:" + chatSocket
        guard warpRouting.isEmpty else {
            return
                "warp-routing is set (\(warpRouting.joined(separator: ", "))), by which devices of the account reach this "
                + "machine's network past all rules; take it out of the tunnel's configuration at Cloudflare"
        }
        for (index, rule) in rules.enumerated() where rule.service != chat && !Self.nothing.contains(rule.service) {
            return
                "rule \(index + 1) leads \(rule.names)\(rule.path.map { " " + $0 } ?? "") to \(rule.service); the only service "
                + "there may be is \(chat)"
        }
        guard rules.count <= Self.limit else {
            return "there are \(rules.count) rules, and no more than \(Self.limit) are looked at; take some out"
        }
        guard let last = rules.last, last.isForAll else {
            return "there is no last rule http_status:404 for all the rest"
        }
        // cloudflared's own single rule as long as it was given none answers 503 too, and leads nowhere.
        if last.service == "http_status:503", rules.count > 1 {
            return "the last rule answers 503 to all the rest; it must be http_status:404"
        }
        if last.service == chat {
            return "the last rule leads every name to the chat; it must be http_status:404"
        }
        return nil
    }

    /// Some rule does.
    public func leadsToChat(_ chatSocket: String) -> Bool { rules.contains { $0.service == "unix:" + chatSocket } }

    /// Who asks for the page by this name comes to the chat: the first rule that is for it decides.
    public func lead(_ name: String, to chatSocket: String) -> Bool {
        let (asked, service) = (HostName.asked(name), "unix:" + chatSocket)
        return Self.paths.allSatisfy { path in looked.first { $0.isFor(asked, path) }?.service == service }
    }

    private var looked: ArraySlice<Rule> { rules.prefix(Self.limit) }

    /// The names whose rules lead to the chat, as they stand there, each once: also `*.example.invalid`, and `*` for every name.
    public func patterns(chatSocket: String) -> [String] {
        each(\.pattern).filter { lead($0, to: chatSocket) }
    }

    /// The names that lead to the chat and can be gone to: `*.example.invalid` is none.
    public func hostnames(chatSocket: String) -> [String] {
        each(\.place).filter { lead($0, to: chatSocket) }
    }

    private func each(_ name: (Rule) -> String?) -> [String] {
        var seen: Set<String> = []
        return looked.compactMap(name).filter { seen.insert($0).inserted }
    }
}

extension HostName {
    /// As browsers ask by it, and cloudflared compares it: in lower case, and in its ASCII form (`xn--…`) where that is another. A
    /// pattern has no such form.
    static func asked(_ name: String) -> String {
        let small = name.lowercased()
        guard !small.utf8.allSatisfy({ $0 < 0x80 }), !small.contains("*") else { return small }
        let encoded = URLComponents(string: "https://" + small)?.encodedHost ?? ""
        return isValid(encoded) ? encoded : small
    }
}
