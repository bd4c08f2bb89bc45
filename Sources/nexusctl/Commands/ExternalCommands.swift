import ArgumentParser
import ControlClient
import Glibc

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Reads Supervisor.toml and says what is wrong with it; touches nothing.")

    @Argument(help: "The file; without it the one nexusd would read.")
    var file: String?

    @OptionGroup var place: Place

    func run() throws {
        try BesideUs.execute("nexus-config", ["check"] + (file.map { [$0] } ?? []))
    }
}

/// Programs that lie in the same directory as this one: what needs a large library is not linked into nexusctl.
enum BesideUs {
    /// Replaces this process. Returns only by throwing.
    static func execute(_ program: String, _ arguments: [String]) throws(ControlError) -> Never {
        guard let own = realpath("/proc/self/exe", nil) else {
            throw ControlError(.failed, "cannot tell where nexusctl lies: \(String(cString: strerror(errno)))")
        }
        defer { free(own) }
        let directory = String(cString: own).split(separator: "/").dropLast().map { "/" + $0 }.joined()
        let path = directory + "/" + program
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
        words.append(nil)
        execv(path, words)
        throw ControlError(
            .failed, "cannot execute \(path): \(String(cString: strerror(errno)))",
            hint: "the programs of Nexus belong in one directory")
    }
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Says the version of nexusctl, and of nexusd where one runs.")

    /// Of this program.
    static let current = "0.1.0"

    @OptionGroup var place: Place

    func run() throws {
        Output.write("nexusctl \(Self.current)\n")
        do throws(ControlError) {
            let connection = try place.connect()
            let id = connection.request("version")
            let limit = ControlConnection.now() + StatusQuestion.limitMilliseconds
            let answer = try ControlConnection.json(connection.answer(to: id, until: limit))
            Output.write("nexusd \(Terminal.clean(answer["version"]?.text ?? "of an unknown version"))\n")
        } catch {
            // Also without nexusd the command did what it is for.
            Output.write("nexusd: \(Terminal.clean(error.message))\n")
        }
    }
}

struct CompletionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completions", abstract: "Prints completions for a shell: bash, zsh or fish.",
        discussion: "For bash: nexusctl completions bash > ~/.local/share/bash-completion/completions/nexusctl")

    @Argument(help: "bash, zsh or fish.")
    var shell: String

    func run() throws {
        guard let shell = CompletionShell(rawValue: shell) else {
            throw ControlError(.usage, "no completions for '\(shell)'", hint: "there are: bash, zsh, fish")
        }
        Output.write(NexusCtl.completionScript(for: shell) + "\n")
    }
}
