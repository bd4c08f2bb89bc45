import ArgumentParser
import ControlClient
import Glibc
import Wire

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Reads Supervisor.toml and says what is wrong with it; touches nothing.",
        discussion: """
            Files, owners and rights are judged as nexusd would: where it runs as another user it is asked itself, and of \
            another file than its own it is said that it may see that in another way.
            """)

    @Argument(
        help: "The file; without it that of the running nexusd, else the one nexusd would read.",
        completion: .file(extensions: ["toml"]))
    var file: String?

    @Flag(help: "One JSON object.")
    var json = false

    @OptionGroup var place: Place

    func run() throws {
        let locations = try place.locations()
        var (connection, report): (ControlConnection?, StatusReport?)
        do throws(ControlError) {
            let nexusd = try place.connect()
            (connection, report) = (nexusd, try StatusQuestion.report(nexusd))
        } catch  where error.code == .refused && file == nil {
            // What nexusd reads is not the caller's own file, and not to be judged by his rights.
            throw ControlError(
                .refused, error.message, hint: "of a file that you name it is said what your own rights show")
        } catch {
            // Nobody to be asked.
        }
        if let report, let look = connection.flatMap(NexusdsLook.init) {
            if file == nil || isSame(file ?? "", report.config) {
                do throws(ControlError) {
                    return try show(look.verdict(), report.config, look.uid)
                } catch {
                    // One that was given a plan has no file that it could read.
                    guard error.code == .failed else { throw error }
                }
            }
            Output.complain("nexusctl: " + look.caution)
        }
        let file = file ?? report?.config
        try BesideUs.execute(
            "nexus-config",
            ["check"] + (file.map { [$0] } ?? []) + ["--state", locations.state, "--runtime", locations.runtime]
                + (json ? ["--json"] : []))
    }

    private func isSame(_ path: String, _ other: String) -> Bool {
        var (one, two) = (stat(), stat())
        return stat(path, &one) == 0 && stat(other, &two) == 0 && one.st_dev == two.st_dev && one.st_ino == two.st_ino
    }

    /// In the form of `nexus-config check`.
    private func show(_ verdict: NexusdsLook.Verdict, _ file: String, _ uid: UInt32) throws(ControlError) {
        let (isAccepted, words): (Bool, [String]) =
            switch verdict {
            case .accepted(let notes): (true, notes)
            case .refused(let diagnostics): (false, diagnostics)
            }
        if json {
            let list = JSONValue.array(words.map { .string($0) })
            let members: [JSONValue.Member] = [
                .init("file", .string(file)), .init("ok", .bool(isAccepted)),
                .init(isAccepted ? "notes" : "diagnostics", list),
            ]
            Output.write(JSONValue.object(members).line + "\n")
        } else if isAccepted {
            let notes = words.map { "note: \(Terminal.clean($0))\n" }.joined()
            Output.write("\(Terminal.clean(file)): ok, as nexusd (uid \(uid)) reads it\n" + notes)
        }
        if !isAccepted { throw ControlError(.configuration, words.joined(separator: "\n")) }
    }
}

/// Programs that lie in the same directory as this one: what needs a large library is not linked into nexusctl.
enum BesideUs {
    /// Where this program lies.
    static var directory: String? {
        guard let own = realpath("/proc/self/exe", nil) else { return nil }
        defer { free(own) }
        return String(cString: own).split(separator: "/").dropLast().map { "/" + $0 }.joined()
    }

    /// Replaces this process. Returns only by throwing.
    static func execute(_ program: String, _ arguments: [String]) throws(ControlError) -> Never {
        guard let directory else {
            throw ControlError(.failed, "cannot tell where nexusctl lies: \(String(cString: strerror(errno)))")
        }
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

    @Flag(help: "One JSON object; `nexusd` is null where none runs.")
    var json = false

    @OptionGroup var place: Place

    func run() throws {
        if json {
            let version = try? place.connect().answeredVersion()
            let members: [JSONValue.Member] = [
                .init("nexusctl", .string(NexusVersion.current)), .init("nexusd", version.map { .string($0) } ?? .null),
            ]
            return Output.write(JSONValue.object(members).line + "\n")
        }
        Output.write("nexusctl \(NexusVersion.current)\n")
        do throws(ControlError) {
            Output.write("nexusd \(Terminal.clean(try place.connect().answeredVersion()))\n")
        } catch {
            // Also without nexusd the command did what it is for.
            Output.write("nexusd: \(Terminal.clean(error.message))\n")
        }
    }
}

struct CompletionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completions", abstract: "Prints completions for a shell: bash, zsh or fish.",
        discussion: """
            Where the script goes, whose folder may have to be made first:

            nexusctl completions bash > ~/.local/share/bash-completion/completions/nexusctl

            nexusctl completions zsh > ~/.zfunc/_nexusctl

            nexusctl completions fish > ~/.config/fish/completions/nexusctl.fish

            For zsh, ~/.zshrc says fpath+=(~/.zfunc) before compinit.
            """)

    @Argument(help: "bash, zsh or fish.", completion: .list(["bash", "zsh", "fish"]))
    var shell: String

    @Flag(help: "The script as one JSON object.")
    var json = false

    // The script asks the nexusd that its user names; these are taken as everywhere.
    @OptionGroup var place: Place

    func run() throws {
        guard let shell = CompletionShell(rawValue: shell) else {
            throw ControlError(.usage, "no completions for '\(shell)'", hint: "there are: bash, zsh, fish")
        }
        let script = Self.script(for: shell)
        guard json else { return Output.write(script) }
        let members: [JSONValue.Member] = [
            .init("shell", .string(shell.rawValue)), .init("script", .string(script)),
        ]
        Output.write(JSONValue.object(members).line + "\n")
    }
}

extension ControlConnection {
    /// The version nexusd says it is.
    fileprivate func answeredVersion() throws(ControlError) -> String {
        let answer = try answer(to: request("version"), until: Self.now() + StatusQuestion.limitMilliseconds)
        return try Self.json(answer)["version"]?.text ?? "of an unknown version"
    }
}
