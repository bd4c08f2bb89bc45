/// The rules in force, as /config has them: the file's own, or those that Cloudflare's dashboard pushed.
public struct IngressRules: Hashable, Sendable, Decodable {
    /// -1: only the file's own, as long as nothing was pushed.
    public var version: Int
    /// In the order in which they are tried.
    public var rules: [Rule]

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

        var isForAll: Bool { (hostname ?? "").isEmpty && (path ?? "").isEmpty }
    }

    /// Both.
    public init(version: Int, rules: [Rule]) {
        self.version = version
        self.rules = rules
    }

    private enum CodingKeys: String, CodingKey { case version, config }
    private struct Config: Decodable { var ingress: [Rule]? }

    /// From the answer of /config.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        version = try fields.decode(Int.self, forKey: .version)
        rules = try fields.decode(Config.self, forKey: .config).ingress ?? []
    }

    /// What more than the chat can be reached, in words; nil: nothing.
    /// - Parameter endsInChat: true for quick tunnels, where everything that comes has the one name.
    public func excess(chatSocket: String, endsInChat: Bool) -> String? {
        let chat = "unix:" + chatSocket
        let nothing = ["http_status:404", "http_status:503"]
        for (index, rule) in rules.enumerated() where rule.service != chat && !nothing.contains(rule.service) {
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
        if last.service == chat, !endsInChat {
            return "the last rule leads every name to the chat; it must be http_status:404"
        }
        return nil
    }

    /// Some rule does.
    public func leadsToChat(_ chatSocket: String) -> Bool { rules.contains { $0.service == "unix:" + chatSocket } }

    /// The names that lead to the chat and can be gone to: `*.example.invalid` is none.
    public func hostnames(chatSocket: String) -> [String] {
        rules.filter { $0.service == "unix:" + chatSocket }.compactMap(\.hostname).filter(HostName.isValid)
    }
}
