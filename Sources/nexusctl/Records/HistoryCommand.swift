import ArgumentParser
import ControlClient
import LogStore
import Wire

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Shows how runs ended: when, how long they ran, CPU, memory, cause.",
        discussion: """
            nexusd remembers the last 16 ends of every child, and log-writer's book in the state directory those before \
            them and before nexusd's own start; either alone will do. CPU and peak memory are those of the main process \
            and the processes it waited for.
            """)

    @Argument(help: "Only this child.", completion: .children)
    var child: String?

    @Option(name: [.customShort("n"), .long], help: "Only so many of the last ones.")
    var lines = 20

    @Flag(help: "One JSON object.")
    var json = false

    @OptionGroup var place: Place

    func validate() throws {
        if lines < 0 { throw ValidationError("-n is at least 0") }
    }

    func run() throws {
        let runs = try RunHistory(place.locations(), child: child).runs.suffix(lines)
        if json {
            let object = JSONValue.object([.init("ends", .array(runs.map(\.json)))])
            Output.write(object.line + "\n")
        } else if runs.isEmpty {
            Output.complain(lines == 0 ? "none asked for" : "no run of \(child ?? "any child") has ended yet")
        } else {
            Output.write(Array(runs).table(for: .standardOutput))
        }
    }
}

/// The ends that nexusd and the book know, put together.
struct RunHistory {
    /// The oldest first.
    let runs: [EndedRun]

    /// Asks both. It is an error when neither can be asked, and when neither knows the child.
    init(_ place: Locations, child: String?) throws(ControlError) {
        let book = BookReader(directory: place.logs)
        let written = try? book.ends()
        let remembered: [EndedRun]
        do throws(ControlError) {
            remembered = try Self.ask(place, child)
        } catch {
            guard let written else { throw error }
            guard error.code == .notRunning || error.code == .refused || error.code == .usage else { throw error }
            // A child that is not in the file any more has its past still.
            if let child, !written.contains(where: { $0.child == child }) {
                if error.code == .usage { throw error }
                let known = Set(written.map(\.child)).sorted()
                throw ControlError(
                    .usage, "the book of runs knows no child '\(child)'" + Nearest.hint(for: child, among: known))
            }
            remembered = []
        }
        let old = (written ?? []).filter { child == nil || $0.child == child }.map(EndedRun.init)
        runs = [EndedRun](merging: [remembered, old])
    }

    private static func ask(_ place: Locations, _ child: String?) throws(ControlError) -> [EndedRun] {
        let connection = try ControlConnection(socket: place.controlSocket)
        let question = connection.request(child.map { "history \($0)" } ?? "history")
        let answer = try ControlConnection.json(
            connection.answer(to: question, until: ControlConnection.now() + StatusQuestion.limitMilliseconds))
        return (answer["children"]?.elements ?? []).flatMap { child in
            (child["ends"]?.elements ?? []).compactMap { EndedRun(child: child["name"]?.text ?? "?", $0) }
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
