import Plan
import SupervisorCore

/// Resolves the `{references}` of one child's texts and remembers the secrets that it names.
struct TextBuilder {
    let draft: ChildDraft
    let context: ChildContext
    let home: String
    /// Children that are ready (or given up) before this one starts.
    let waitsFor: Set<ChildID>
    /// Secrets that were named, and where.
    private(set) var secrets: [Placed<UInt16>] = []

    init(draft: ChildDraft, context: ChildContext, home: String, waitsFor: Set<ChildID>) {
        self.draft = draft
        self.context = context
        self.home = home
        self.waitsFor = waitsFor.union(context.groups.earlier(than: draft.id))
    }

    /// Where a text stands decides what it may name.
    enum Use {
        /// argv: everybody can read it in /proc.
        case argument
        case environment
        /// A liveness probe, which runs while the child is ready: it may name what the child itself captures.
        case liveness
        /// A path: only what is known now.
        case path
    }

    static let placeNames = [
        "state", "runtime", "bin", "home", "workspaces", "agent", "chat-listen", "chat-certificate", "chat-key",
        "chat-url", "chat-keep", "word", "tunnel",
    ]

    /// The text; a problem is reported and gives nil.
    mutating func text(_ text: String, _ position: Position, key: String, _ use: Use) -> Text? {
        guard !text.utf8.contains(0) else { return nil }
        let template: Template
        do {
            template = try Template(text)
        } catch {
            context.report.error(position, "'\(key)': \(error.words)")
            return nil
        }
        var pieces: [Text.Piece] = []
        for piece in template.pieces {
            switch piece {
            case .literal(let literal): append(.literal(literal), to: &pieces)
            case .reference(let word):
                guard let resolved = reference(word, position, key, use) else { return nil }
                append(resolved, to: &pieces)
            }
        }
        let name = use == .environment ? key.utf8.count + 1 : 0
        let bytes = name + ArgumentSpace.known(Text(pieces: pieces))
        guard ChildBuilder.checkString(bytes, "'\(key)'", position, context.report) else { return nil }
        return Text(pieces: pieces.isEmpty ? [.literal("")] : pieces)
    }

    /// A text that must be known now.
    func plain(_ text: String, _ position: Position, key: String) -> String? {
        var copy = self
        return copy.text(text, position, key: key, .path)?.literal
    }

    /// A secret by name, wherever it is used.
    mutating func secret(_ name: String, _ position: Position, key: String) -> UInt16? {
        guard let index = context.names.secret(name) else {
            let hint = Nearest.hintOrList(for: name, among: context.names.secrets, of: "[secret.…] at all")
            context.report.error(position, "'\(key)' names an unknown secret '\(name)'\(hint)")
            return nil
        }
        secrets.append(Placed(value: index, position: position))
        return index
    }

    private func append(_ piece: Text.Piece, to pieces: inout [Text.Piece]) {
        if case .literal(let more) = piece, case .literal(let last) = pieces.last {
            pieces[pieces.count - 1] = .literal(last + more)
        } else {
            pieces.append(piece)
        }
    }

    private mutating func reference(_ word: String, _ position: Position, _ key: String, _ use: Use) -> Text.Piece? {
        switch word {
        case "state": return .literal(context.places.state)
        case "runtime": return .literal(context.places.runtime)
        case "bin": return .literal(context.places.bin)
        case "home": return .literal(home)
        case "workspaces":
            if let note = context.workspaces.note { context.report.noteOnce(note) }
            return .literal(context.workspaces.json)
        case "agent": return .literal(context.agent.json)
        case "chat-listen": return .literal(context.chat.listen)
        case "chat-certificate": return .literal(context.chat.certificate)
        case "chat-key": return .literal(context.chat.key)
        case "chat-url": return .literal(context.chat.url)
        case "chat-keep": return .literal(context.chat.keep)
        case "word": return .literal(context.word.json)
        case "tunnel": return .literal(context.tunnel.json)
        case _: break
        }
        let parts = word.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else {
            let near = Nearest.name(for: word, among: TextBuilder.placeNames)
            let hint = near.map { "; did you mean '{\($0)}'?" } ?? ""
            let list = TextBuilder.placeNames.map { "{\($0)}, " }.joined() + "{CHILD.VALUE}, {secret.NAME}"
            context.report.error(
                position,
                "'\(key)': unknown '{\(word)}'\(hint); known: \(list); a brace that is meant itself is doubled: '{{'")
            return nil
        }
        if parts[0] == "secret" { return secretPiece(parts[1], position, key, use) }
        return captured(parts[0], parts[1], position, key, use)
    }

    private mutating func secretPiece(_ name: String, _ position: Position, _ key: String, _ use: Use) -> Text.Piece? {
        guard use == .environment else {
            context.report.error(
                position,
                "'\(key)' names the secret '\(name)', but everybody can read a command line; give it as"
                    + " secrets = [\"\(name)\"] (a file) or in 'environment'")
            return nil
        }
        return secret(name, position, key: key).map { .secret($0) }
    }

    private func captured(
        _ name: String, _ value: String, _ position: Position, _ key: String, _ use: Use
    ) -> Text.Piece? {
        let words = "'\(key)': '{\(name).\(value)}'"
        guard let child = context.names.child(name) else {
            let refusal = context.names.refusal(of: name, "child", among: context.names.children)
            context.report.error(position, "\(words) \(refusal)")
            return nil
        }
        // Known now, whoever waits for whom; a value of that name that the child captures comes first.
        if value == "uid", context.names.captures[child]?.contains(value) != true {
            return .literal(String(context.uids[child] ?? context.host.userID))
        }
        guard use != .path else {
            context.report.error(position, "\(words) is known only when '\(name)' runs; a path must be known before")
            return nil
        }
        let captures = context.names.captures[child] ?? []
        guard captures.contains(value) else {
            let remedy =
                captures.isEmpty
                ? "; '\(name)' captures nothing: give it ready = { log-line = \"… {\(value)}\" }"
                : Nearest.hintOrList(for: value, among: captures, of: "value")
            context.report.error(position, "\(words) names no value that '\(name)' captures\(remedy)")
            return nil
        }
        let isOwn = child == draft.id && use == .liveness
        guard isOwn || waitsFor.contains(child) else {
            let remedy =
                child == draft.id
                ? "a child's own values are known only when it runs"
                : "add requires = [\"\(name)\"] to [child.\(draft.name)]"
            context.report.error(position, "\(words) may not be known yet; \(remedy)")
            return nil
        }
        return .captured(child, name: value)
    }
}
