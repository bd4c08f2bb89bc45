import ControlClient
import Glibc
import Wire

/// What is accepted, for people and programs.
struct UpdateList {
    let locations: Locations

    init(_ locations: Locations) { self.locations = locations }

    /// One program.
    struct Entry {
        let place: ShelfPlace
        let book: AcceptedBook
        let complaint: String?
        /// Why a copy that is kept is not run.
        var damage: [(source: AcceptedBook.Source, words: String)] {
            [book.current, book.before].compactMap { source in
                source.flatMap { source in place.damage(of: source).map { (source, $0) } }
            }
        }
    }

    /// Those of which something was ever accepted or tried; a refusal before that leaves no more than an empty directory.
    var entries: [Entry] {
        UpdateCommand.programs.compactMap { name in
            let place = ShelfPlace(name, locations)
            guard access(place.directory, F_OK) == 0 else { return nil }
            let (book, complaint) = place.read()
            if book.isEmpty, complaint == nil { return nil }
            return Entry(place: place, book: book, complaint: complaint)
        }
    }

    func show(json: Bool) {
        let entries = entries
        if json {
            let programs = JSONValue.array(entries.map(object))
            return Output.write(JSONValue.object([.init("programs", programs)]).line + "\n")
        }
        guard !entries.isEmpty else {
            return Output.tell(
                "Nothing was accepted yet: a search finds what runs. nexusctl update PROGRAM PATH accepts one.")
        }
        var table = TextTable()
        table.append(["PROGRAM", "HOLDS", "VERSION", "SHA-256", "COPIED", "FROM"].map { TextTable.Cell($0, .dim) })
        for entry in entries { rows(entry).forEach { table.append($0) } }
        Output.write(table.rendered(for: .standardOutput))
        for entry in entries {
            for words in remarks(entry) { Output.tell(Terminal.clean("\(entry.place.name): \(words)")) }
        }
    }

    private func rows(_ entry: Entry) -> [[TextTable.Cell]] {
        let sources: [(String, AcceptedBook.Source?)] = [
            ("now", entry.book.current), ("before", entry.book.before), ("on trial", entry.book.trial),
        ]
        return sources.compactMap { state, source in
            guard let source else { return nil }
            let version = entry.book.version(source)
            guard case .copy(let hash) = source else {
                return [entry.place.name, state, "-", "-", "-", "a search"].map { TextTable.Cell($0) }
            }
            let copied = version.map { WallTime(nanosecondsSince1970: $0.copied &* 1_000_000).rfc3339 }
            return [
                entry.place.name, state, version?.text ?? "?", String(hash.prefix(12)), copied ?? "?",
                version?.origin ?? "?",
            ].map { TextTable.Cell(Terminal.clean($0)) }
        }
    }

    private func remarks(_ entry: Entry) -> [String] {
        let refused = entry.book.refusal.map { "\($0.text) was tried and is not kept: \($0.why)" }
        return [entry.complaint, refused].compactMap { $0 } + entry.damage.map(\.words)
    }

    private func object(_ entry: Entry) -> JSONValue {
        let damaged = entry.damage.map { JSONValue.string($0.words) }
        // The book's own members, which no reader has to know twice.
        let book = (try? JSONParser.parse(Array(entry.book.line.utf8)))?.members ?? []
        return .object(
            [.init("program", .string(entry.place.name))] + book.filter { $0.name != "format" }
                + [.init("damage", .array(damaged))])
    }
}
