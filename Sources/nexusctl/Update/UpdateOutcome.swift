import ControlClient
import Wire

/// What came of an update that did not fail.
struct UpdateOutcome {
    enum Kind: String {
        /// It holds from now on.
        case accepted
        /// It was what holds.
        case unchanged
        /// Its copy was damaged, and is whole again.
        case repaired
        /// A trial that was cut off is over; what held before holds.
        case back
    }

    let name: String
    let kind: Kind
    let book: AcceptedBook
    /// What was seen of it; nil: it was not tried, for nothing of it runs.
    let seen: String?

    init(_ name: String, _ kind: Kind, _ book: AcceptedBook, seen: String?) {
        self.name = name
        self.kind = kind
        self.book = book
        self.seen = seen
    }

    /// `opencode 1.18.34`.
    static func spoken(_ source: AcceptedBook.Source, _ name: String, _ book: AcceptedBook) -> String {
        guard case .copy(let hash) = source else { return "the \(name) that a search finds" }
        return "\(name) \(book.version(source)?.text ?? "of SHA-256 " + hash.prefix(12))"
    }

    /// For people.
    var words: String {
        let now = Self.spoken(book.current, name, book)
        switch kind {
        case .unchanged: return "\(now) holds already, by its hash; nothing to do."
        case .repaired: return "The copy of \(now) was damaged and is whole again; it runs with the next start."
        case .back: return "\(now) holds again\(seen.map { $0.isEmpty ? "" : ": " + $0 } ?? "")."
        case .accepted:
            let before = book.before.map { Self.spoken($0, name, book) } ?? "nothing"
            let tried = seen ?? "not tried, for it does not run: it is taken with the next start"
            return "\(now) is accepted (\(tried)); before: \(before), to which `nexusctl update \(name) --back` leads."
        }
    }

    /// For `--json`.
    var line: String {
        let version = book.version(book.current)
        let text = { (text: String?) in text.map { JSONValue.string($0) } ?? .null }
        return JSONValue.object([
            .init("program", .string(name)), .init("outcome", .string(kind.rawValue)),
            .init("version", text(version?.text)), .init("sha256", text(version?.hash)),
            .init("before", text(book.before.flatMap { book.version($0)?.text })), .init("seen", text(seen)),
        ]).line + "\n"
    }
}
