import Foundation
import Wire

/// The rules in force, as /config has them: the file's own, or those that Cloudflare's dashboard pushed.
public struct IngressRules: Hashable, Sendable, Decodable {
    /// -1: only the file's own, as long as nothing was pushed.
    public var version: Int
    /// In the order in which they are tried.
    public let rules: [Rule]
    /// Which rule is the first for a name: for each of `paths`, and for every path whatever it is.
    private let firsts: [String: RuleTable]
    private let whole: RuleTable
    /// What else of `originRequest` for all rules would reach more; empty: nothing.
    private var detours: [String] = []
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
        /// Of its `originRequest`, what reaches more than its service; empty: nothing.
        let detours: [String]
        /// As visitors' are compared with it; empty: every one.
        let name: String
        /// Of `IngressRules.paths`, those that its expression is found in.
        private let found: Set<String>

        /// All of it.
        public init(hostname: String? = nil, path: String? = nil, service: String) {
            self.init(hostname: hostname, path: path, service: service, detours: [])
        }

        private init(hostname: String?, path: String?, service: String, detours: [String]) {
            self.hostname = hostname
            self.path = path
            self.service = service
            self.detours = detours
            let name = hostname ?? ""
            self.name = name == "*" ? "" : HostName.asked(name)
            let expression = path.flatMap { $0.isEmpty ? nil : $0 }
            let read = expression.map(PathExpression.init)
            found = IngressRules.paths.filter { path in read.map { $0?.isFound(in: path) ?? false } ?? true }
        }

        private enum CodingKeys: String, CodingKey { case hostname, path, service, originRequest }

        /// As /config has it.
        public init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                hostname: try fields.decodeIfPresent(String.self, forKey: .hostname),
                path: try fields.decodeIfPresent(String.self, forKey: .path),
                service: try fields.decode(String.self, forKey: .service),
                detours: try fields.decodeIfPresent(OriginRequest.self, forKey: .originRequest)?.detours ?? [])
        }

        /// An expression of its own is found in the path, which is one of `IngressRules.paths`.
        func takes(_ path: String) -> Bool { found.contains(path) }

        var isForEachPath: Bool { (path ?? "").isEmpty }

        var isForAll: Bool { name.isEmpty && isForEachPath }

        /// The name, in words.
        var names: String { name.isEmpty ? "every name" : (hostname ?? "").shown(Self.shown) }

        /// The rule, in words.
        var words: String { "\(names)\(isForEachPath ? "" : " " + (path ?? "").shown(Self.shown))" }

        /// Of each text in words.
        static let shown = 120

        /// What stands there as a name, as visitors' are compared with it; `*` for every one.
        var pattern: String { name.isEmpty ? "*" : name }

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
        let looked = rules.prefix(Self.limit)
        firsts = Dictionary(
            uniqueKeysWithValues: Self.paths.map { path in (path, RuleTable(looked) { $0.takes(path) }) })
        whole = RuleTable(looked) { $0.isForEachPath }
    }

    private enum CodingKeys: String, CodingKey { case version, config }
    private struct Config: Decodable {
        var ingress: [Rule]?
        var originRequest: OriginRequest?
        var warpRouting: WarpRouting?

        enum CodingKeys: String, CodingKey {
            case ingress, originRequest
            case warpRouting = "warp-routing"
        }
    }

    /// What of it makes a proxy to anywhere of a rule. (The rest says how its own service is spoken to: a `Host` of its own, TLS, time
    /// limits; `access` only keeps people out.)
    private struct OriginRequest: Decodable {
        var bastionMode: Bool?
        var proxyType: String?

        var detours: [String] {
            (bastionMode == true ? ["bastionMode"] : []) + ((proxyType ?? "").isEmpty ? [] : ["proxyType"])
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
        let config = try fields.decode(Config.self, forKey: .config)
        self.init(version: try fields.decode(Int.self, forKey: .version), rules: config.ingress ?? [])
        warpRouting = config.warpRouting?.names ?? []
        detours = config.originRequest?.detours ?? []
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
                "warp-routing is set (\(warpRouting.joined(separator: ", ").shown(Rule.shown))), by which devices of the account reach this "
                + "machine's network past all rules; take it out of the tunnel's configuration at Cloudflare"
        }
        for (index, rule) in rules.enumerated() where rule.service != chat && !Self.nothing.contains(rule.service) {
            return
                "rule \(index + 1) leads \(rule.words) to \(rule.service.shown(Rule.shown)); the only service "
                + "there may be is \(chat)"
        }
        if let detour = detour {
            return "\(detour), which makes a proxy to anywhere of a rule; take it out of the tunnel's configuration"
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

    private var detour: String? {
        if !detours.isEmpty { return "originRequest of all rules sets \(detours.joined(separator: ", "))" }
        guard let index = rules.firstIndex(where: { !$0.detours.isEmpty }) else { return nil }
        return "originRequest of rule \(index + 1) sets \(rules[index].detours.joined(separator: ", "))"
    }

    /// Some rule does.
    public func leadsToChat(_ chatSocket: String) -> Bool { rules.contains { $0.service == "unix:" + chatSocket } }

    /// Who asks for the page by this name comes to the chat: the first rule that is for it decides.
    public func lead(_ name: String, to chatSocket: String) -> Bool {
        let (asked, service) = (HostName.asked(name), "unix:" + chatSocket)
        return Self.paths.allSatisfy { path in
            firsts[path]?.first(for: asked).map { rules[$0].service == service } ?? false
        }
    }

    private var looked: ArraySlice<Rule> { rules.prefix(Self.limit) }

    /// The names whose rules lead to the chat, as they are compared, each once: also `*.example.invalid`, and `*` for every name.
    public func patterns(chatSocket: String) -> [String] {
        each(\.pattern).filter { lead($0, to: chatSocket) }.map { $0.shown(Rule.shown) }
    }

    /// Beside those the names of which a part leads to the chat, though it is not the page's own: in words, with the path.
    public func parts(chatSocket: String) -> [String] {
        let service = "unix:" + chatSocket
        var seen: Set<String> = []
        return looked.enumerated().compactMap { index, rule in
            guard rule.service == service, !lead(rule.pattern, to: chatSocket),
                // One that takes every path before it leaves it none.
                whole.first(for: HostName.asked(rule.pattern)).map({ $0 >= index }) ?? true
            else { return nil }
            let paths = rule.isForEachPath ? "some paths" : "paths with \((rule.path ?? "").shown(Rule.shown))"
            let part = "\(rule.pattern.shown(Rule.shown)) (\(paths))"
            return seen.insert(part).inserted ? part : nil
        }
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
        let small = name == "*" ? "" : name.lowercased()
        guard !small.utf8.allSatisfy({ $0 < 0x80 }), !small.contains("*") else { return small }
        let encoded = URLComponents(string: "https://" + small)?.encodedHost ?? ""
        return isValid(encoded) ? encoded : small
    }
}

extension String {
    /// What somebody else wrote, fit for a line of words: without control characters, and no longer than this.
    func shown(_ limit: Int) -> String {
        let plain = unicodeScalars.prefix(limit).map { $0.value < 0x20 || $0.value == 0x7F ? "?" : Character($0) }
        return String(plain) + (unicodeScalars.count > limit ? " …" : "")
    }
}
