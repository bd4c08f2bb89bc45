import ArgumentParser
import ControlClient
import LogStore
import System
import Wire

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Shows how runs ended: when, how long they ran, CPU, memory, cause.",
        discussion: """
            nexusd remembers the last 16 ends of every child, and log-writer's book in the state directory those before \
            them and before nexusd's own start; either alone will do. CPU and peak memory are those of the main process \
            and the processes it waited for.
            """)

    @Argument(help: "Only this child, or the children of this group.", completion: .names)
    var name: String?

    @Option(name: [.customShort("n"), .long], parsing: .unconditional, help: "Only so many of the last ones.")
    var lines = 20

    @Flag(help: "One JSON object.")
    var json = false

    @OptionGroup var place: Place

    func validate() throws {
        if lines < 0 { throw ValidationError("-n takes a count of lines, at least 0, found \(lines)") }
    }

    func run() throws {
        let history = try RunHistory(place.locations(), of: name)
        let runs = history.runs.suffix(lines)
        if let (path, error) = history.unreadable {
            // Whether there are more is not known, and none at all would be a guess.
            if history.runs.isEmpty, lines > 0 { throw LogPrinter.unreadable(file: path, error) }
            LogPrinter.complain(path, error)
        }
        if history.damagedLines > 0 { Output.complain(Terminal.clean(history.damageWords)) }
        if json {
            let object = JSONValue.object([.init("ends", .array(runs.map(\.json))), history.unreadableJSON])
            Output.write(object.line + "\n")
        } else if runs.isEmpty {
            Output.complain(lines == 0 ? "none asked for" : "no run of \(name ?? "any child") has ended yet")
        } else {
            Output.write(Array(runs).table(for: .standardOutput))
        }
    }
}

/// The ends that nexusd and the book know, put together.
struct RunHistory {
    /// The oldest first.
    let runs: [EndedRun]
    /// The book, if it is there and cannot be read.
    let unreadable: (path: String, error: Errno)?
    /// Lines of the book that are none.
    let damagedLines: Int
    private let path: String

    /// Asks both. It is an error when neither can be asked, and when neither knows the child or group.
    init(_ place: Locations, of name: String?) throws(ControlError) {
        let written = name.map(WrittenName.init)
        let reader = BookReader(directory: place.logs)
        var content: BookContent?
        var failure: Errno?
        do throws(Errno) { content = try reader.read() } catch { if error != .noEntry { failure = error } }
        path = reader.path
        unreadable = failure.map { (reader.path, $0) }
        damagedLines = content?.damagedLines ?? 0
        let book = content?.ends
        var remembered: [EndedRun] = []
        var children: [String]?
        do throws(ControlError) {
            let connection = try ControlConnection(socket: place.controlSocket)
            if let written { children = try written.needed(in: StatusQuestion.report(connection)).children }
            remembered = try Self.ask(connection, children)
        } catch {
            guard let book, error.code == .notRunning || error.code == .refused || error.code == .usage else {
                throw error
            }
            if let written { children = [try Self.child(written, in: book, after: error)] }
        }
        let old = (book ?? []).filter { children?.contains($0.child) ?? true }.map(EndedRun.init)
        runs = [EndedRun](merging: [remembered, old])
    }

    /// What is missing because of damage.
    var damageWords: String {
        let damage = BookDamage(lines: damagedLines, path: path)
        return "missing here: \(damage.words); \(damage.remedy)"
    }

    /// The same for programs: the file, and how many of its lines; null where it is all of it.
    var unreadableJSON: JSONValue.Member {
        guard unreadable != nil || damagedLines > 0 else { return .init("unreadable", .array([])) }
        let lines: JSONValue = unreadable == nil ? .integer(Int64(damagedLines)) : .null
        return .init("unreadable", .array([.object([.init("file", .string(path)), .init("lines", lines)])]))
    }

    /// A child that is not in the file any more has its past still. Which children a group has only nexusd knows.
    private static func child(
        _ written: WrittenName, in book: [BookEnd], after error: ControlError
    ) throws(ControlError) -> String {
        let known = Set(book.map(\.child)).sorted()
        if written.mayBeChild, known.contains(written.name) { return written.name }
        if error.code == .usage || !written.mayBeChild { throw error }
        throw ControlError(
            .usage,
            "the book of runs knows no child '\(written.name)'" + Nearest.hint(for: written.name, among: known))
    }

    private static func ask(
        _ connection: ControlConnection, _ children: [String]?
    ) throws(ControlError) -> [EndedRun] {
        let one = children.flatMap { $0.count == 1 ? $0[0] : nil }
        let question = connection.request(one.map { "history child:\($0)" } ?? "history")
        let answer = try ControlConnection.json(
            connection.answer(to: question, until: ControlConnection.now() + StatusQuestion.limitMilliseconds))
        return (answer["children"]?.elements ?? []).flatMap { child -> [EndedRun] in
            guard let name = child["name"]?.text, children?.contains(name) ?? true else { return [] }
            return (child["ends"]?.elements ?? []).compactMap { EndedRun(child: name, $0) }
        }
    }
}

extension EndedRun {
    fileprivate init(_ end: BookEnd) {
        self.init(
            child: end.child, run: end.run.description, started: end.started.map(WallTime.init),
            ended: WallTime(end.ended), words: end.words,
            facts: end.facts.flatMap { try? JSONParser.parse(Array($0.utf8)) })
    }
}

extension WallTime {
    init(_ stamp: WallStamp) { self.init(nanosecondsSince1970: stamp.microseconds * 1000) }
}
