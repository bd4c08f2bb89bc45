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
        /// Empty or nil: every name.
        public var hostname: String?
        /// A regular expression; empty or nil: every path.
        public var path: String?
        /// Where it leads.
        public var service: String

        /// All of it.
        public init(hostname: String? = nil, path: String? = nil, service: String) {
            self.hostname = hostname
            self.path = path
            self.service = service
        }

        /// As cloudflared chooses one: by the name, where `*.` stands for any, and by an expression that is found in the path.
        func isFor(_ name: String, _ path: String) -> Bool {
            let (wanted, name) = ((hostname ?? "").lowercased(), name.lowercased())
            let isName =
                wanted.isEmpty || wanted == "*" || wanted == name
                || wanted.hasPrefix("*.") && name.hasSuffix(wanted.dropFirst())
            guard isName, let pattern = self.path, !pattern.isEmpty else { return isName }
            guard let expression = try? Regex(pattern) else { return false }
            return path.firstMatch(of: expression) != nil
        }

        var isForAll: Bool { (hostname ?? "").isEmpty && (path ?? "").isEmpty }
    }

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
            let name = rule.hostname.map { $0.isEmpty ? "every name" : $0 } ?? "every name"
            return
                "rule \(index + 1) leads \(name)\(rule.path.map { " " + $0 } ?? "") to \(rule.service); the only service "
                + "there may be is \(chat)"
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
        ["/", ChatDoor.canary].allSatisfy { path in
            rules.first { $0.isFor(name, path) }?.service == "unix:" + chatSocket
        }
    }

    /// The names whose rules lead to the chat, as they stand there, each once: also `*.example.invalid`, and `*` for every name.
    public func patterns(chatSocket: String) -> [String] {
        var seen: Set<String> = []
        return rules.map { ($0.hostname ?? "").isEmpty ? "*" : $0.hostname ?? "*" }
            .filter { lead($0, to: chatSocket) && seen.insert($0).inserted }
    }

    /// The names that lead to the chat and can be gone to: `*.example.invalid` is none.
    public func hostnames(chatSocket: String) -> [String] {
        rules.compactMap(\.hostname).filter { HostName.isValid($0) && lead($0, to: chatSocket) }
    }
}
