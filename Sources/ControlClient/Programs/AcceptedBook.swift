import Wire

/// What is kept of a program that Nexus runs and does not bring: which version holds, which one held before, and whether another
/// is on trial. Pure: what it wants done to the disk are steps, and between any two of them the machine may lose its power. Whoever
/// opens it then finds one whole version, and what to do about the other (`steps(endingTrial:)`).
public struct AcceptedBook: Hashable, Sendable {
    /// Where the program comes from.
    public enum Source: Hashable, Sendable {
        /// A search for its name, as if there were no copies.
        case search
        /// The copy of that hash.
        case copy(String)
    }

    /// One accepted copy.
    public struct Version: Hashable, Sendable {
        /// SHA-256, 64 lower-case hexadecimal digits; the name of its directory.
        public var hash: String
        /// As it said itself.
        public var text: String
        /// Where it was copied from.
        public var origin: String
        /// Milliseconds since 1970.
        public var copied: Int64

        /// All of it.
        public init(hash: String, text: String, origin: String, copied: Int64) {
            self.hash = hash
            self.text = text
            self.origin = origin
            self.copied = copied
        }
    }

    /// A version that was tried and did not stay.
    public struct Refusal: Hashable, Sendable {
        /// Its version.
        public var text: String
        /// What was wrong.
        public var why: String
        /// Milliseconds since 1970.
        public var time: Int64

        /// All of it.
        public init(text: String, why: String, time: Int64) {
            self.text = text
            self.why = why
            self.time = time
        }
    }

    /// One thing to be done to the disk; each is whole or not done.
    public enum Step: Hashable, Sendable {
        /// The book takes the place of the one there.
        case write(AcceptedBook)
        /// The link `current` leads there; `search`: there is none.
        case lead(Source)
    }

    /// What holds.
    public var current: Source = .search
    /// What held before that; nil: nothing to go back to.
    public var before: Source?
    /// What is tried in its place; until that is over, `current` is what the machine comes back to.
    public var trial: Source?
    /// The run of the child that was there when the trial began: while it is, there is nothing to come back from.
    public var trialRun: String?
    /// Of the copies.
    public var versions: [Version] = []
    /// The last that did not stay.
    public var refusal: Refusal?

    /// Nothing was ever accepted.
    public init() {}

    /// Nothing was accepted or tried, as far as is known.
    public var isEmpty: Bool { current == .search && before == nil && trial == nil && refusal == nil }

    /// Copies that are kept; every other goes.
    public var kept: Set<String> {
        var hashes: Set<String> = []
        for source in [current, before, trial] {
            if case .copy(let hash)? = source { hashes.insert(hash) }
        }
        return hashes
    }

    /// What is known of a copy.
    public func version(_ source: Source) -> Version? {
        guard case .copy(let hash) = source else { return nil }
        return versions.first { $0.hash == hash }
    }

    /// Notes a copy; of each hash once.
    public mutating func add(_ version: Version) {
        versions.removeAll { $0.hash == version.hash }
        versions.append(version)
    }

    /// Begins to try another one: first it is written down, so that whoever comes later knows what the link stands for.
    public func steps(trying source: Source, run: String?) -> [Step] {
        var book = self
        (book.trial, book.trialRun) = (source, run)
        return [.write(book), .lead(source)]
    }

    /// What is tried holds from now on; by one step.
    public func steps(accepting source: Source) -> [Step] {
        var book = self
        (book.before, book.current) = (current, source)
        (book.trial, book.trialRun, book.refusal) = (nil, nil, nil)
        return [.write(book.trimmed)]
    }

    /// What held before the trial does so again; the trial is forgotten last.
    /// - Parameter refusal: nil: it was not tried, and what is known of the one before stays.
    public func steps(endingTrial refusal: Refusal?) -> [Step] {
        var book = self
        (book.trial, book.trialRun, book.refusal) = (nil, nil, refusal ?? self.refusal)
        return [.lead(current), .write(book.trimmed)]
    }

    /// Without what is known of copies that go.
    private var trimmed: AcceptedBook {
        var book = self
        let kept = kept
        book.versions.removeAll { !kept.contains($0.hash) }
        return book
    }
}

extension AcceptedBook {
    /// It is a small file; a longer one is damaged.
    public static let limitBytes = 65_536

    /// As it lies on the disk: one object, on one line.
    public var line: String {
        func text(_ source: Source?) -> JSONValue {
            switch source {
            case nil: .null
            case .search?: .string("search")
            case .copy(let hash)?: .string(hash)
            }
        }
        let list = versions.map { version in
            JSONValue.object([
                .init("sha256", .string(version.hash)), .init("version", .string(version.text)),
                .init("origin", .string(version.origin)), .init("copied_ms", .integer(version.copied)),
            ])
        }
        let refused = refusal.map { refusal in
            JSONValue.object([
                .init("version", .string(refusal.text)), .init("why", .string(refusal.why)),
                .init("time_ms", .integer(refusal.time)),
            ])
        }
        return JSONValue.object([
            .init("format", .integer(1)), .init("current", text(current)), .init("before", text(before)),
            .init("trial", text(trial)), .init("trial_run", trialRun.map { .string($0) } ?? .null),
            .init("versions", .array(list)), .init("refused", refused ?? .null),
        ]).line + "\n"
    }

    /// Reads it; nil: it is damaged, or of a later format.
    public init?(_ bytes: [UInt8]) {
        guard let json = try? JSONParser.parse(bytes), json["format"]?.number == 1,
            let current = Self.source(json["current"])
        else { return nil }
        self.current = current
        for (name, path) in [("before", \Self.before), ("trial", \Self.trial)] {
            guard let value = json[name], value != .null else { continue }
            guard let source = Self.source(value) else { return nil }
            self[keyPath: path] = source
        }
        trialRun = json["trial_run"]?.text
        for value in json["versions"]?.elements ?? [] {
            guard let hash = value["sha256"]?.text, Self.isHash(hash), let text = value["version"]?.text else {
                return nil
            }
            add(
                Version(
                    hash: hash, text: text, origin: value["origin"]?.text ?? "?",
                    copied: value["copied_ms"]?.number ?? 0))
        }
        if let value = json["refused"], let text = value["version"]?.text {
            refusal = Refusal(text: text, why: value["why"]?.text ?? "?", time: value["time_ms"]?.number ?? 0)
        }
    }

    /// 64 lower-case hexadecimal digits: what may be the name of a directory here.
    public static func isHash(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static func source(_ value: JSONValue?) -> Source? {
        switch value?.text {
        case "search"?: .search
        case let hash? where isHash(hash): .copy(hash)
        case _: nil
        }
    }
}
