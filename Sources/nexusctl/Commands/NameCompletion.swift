import ArgumentParser
import ControlClient
import Wire

extension CompletionKind {
    /// Children and groups of the nexusd that runs, asked for when the key is pressed.
    static var names: CompletionKind {
        .custom { line, _, _ in NameCompletion(line).names { $0.children + $0.groups } }
    }

    /// Keys of Supervisor.toml, and those of each child of the nexusd that runs: nexus-config knows them.
    static var keys: CompletionKind {
        .custom { line, _, prefix in
            let names = NameCompletion(line).names {
                $0.children.map { "child.\($0)" } + $0.groups.map { "group.\($0)" }
            }
            guard let directory = BesideUs.directory,
                let said = Capture.run(
                    directory + "/nexus-config", ["explain", "--complete", prefix], milliseconds: 2000)
            else { return names }
            return names + said.output.split(separator: "\n").map(String.init)
        }
    }

    /// Children only.
    static var children: CompletionKind { .custom { line, _, _ in NameCompletion(line).names(\.children) } }
}

/// What a shell is told when it asks how a name may go on. Never an error: a shell has nowhere to show one.
struct NameCompletion {
    private let runtime: String?
    private let state: String?
    /// nexusd answers at once or not at all: nobody waits longer than this for a TAB.
    private static let limitMilliseconds: Int64 = 500

    /// `line`: the words typed so far, in which `--runtime` may say which nexusd is meant.
    init(_ line: [String]) {
        func value(_ option: String) -> String? {
            if let joined = line.last(where: { $0.hasPrefix(option + "=") }) {
                return String(joined.dropFirst(option.count + 1))
            }
            guard let place = line.lastIndex(of: option), place + 1 < line.count else { return nil }
            return line[place + 1]
        }
        runtime = value("--runtime")
        state = value("--state")
    }

    /// The names there are.
    struct Names {
        var children: [String] = []
        var groups: [String] = []
    }

    func names(_ wanted: (Names) -> [String]) -> [String] {
        guard let place = try? Locations.ofThisProcess(state: state, runtime: runtime),
            let connection = try? ControlConnection(socket: place.controlSocket),
            let answer = try? connection.answerIfAny(
                to: connection.request("tree"), until: ControlConnection.now() + Self.limitMilliseconds),
            let tree = try? JSONParser.parse(answer)
        else { return [] }
        func names(_ member: String) -> [String] { (tree[member]?.elements ?? []).compactMap { $0["name"]?.text } }
        return wanted(Names(children: names("children"), groups: names("groups")))
    }
}
