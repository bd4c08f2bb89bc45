import ControlClient
import Glibc
import System

/// Looks at a program file, and has it say its version as the agent's user.
struct ProgramTrial {
    let child: AgentChild
    /// What the file is called where it came from, for words.
    let origin: String
    /// What it is to be.
    var name = "opencode"
    /// What it is asked for its version by.
    var question = ["--version"]

    private static let limitMilliseconds: Int64 = 30_000
    private static let limitBytes = 65_536

    /// The first bytes of a file.
    static func form(of path: String) -> ProgramForm? {
        let kernel = LiveKernel()
        guard let file = try? kernel.openRegular(path, [.readOnly, .nonBlocking], mode: 0) else { return nil }
        var head = [UInt8](repeating: 0, count: ProgramForm.headLength)
        let count = head.withUnsafeMutableBytes { try? kernel.read(file, into: $0, at: 0) }
        return count.map { ProgramForm(Array(head.prefix($0))) }
    }

    /// Refuses what this machine cannot execute.
    func checkForm(_ path: String) throws(ControlError) {
        switch Self.form(of: path) {
        case .script?: return
        case .program(let machine)?:
            guard case .program(let own)? = Self.form(of: "/proc/self/exe"), own != machine else { return }
            throw ControlError(
                .failed, "\(origin) was built for another machine: \(machine.name); this one is \(own.name)",
                hint: "take the build of \(name) for this machine")
        case .other?, nil:
            throw ControlError(
                .failed, "\(origin) is no program: neither an ELF file nor a script with an interpreter",
                hint: "an archive is unpacked first; see: file \(origin)")
        }
    }

    /// The version of an opencode of a line that agent-worker speaks.
    func agentVersion(_ path: String) throws(ControlError) -> ProgramVersion {
        try checkForm(path)
        let version = try self.version(path)
        guard (1...2).contains(version.major) else {
            throw ControlError(
                .failed, "\(origin) is opencode \(version.text); agent-worker speaks 1.x and 2.x",
                hint: "take \(version.major < 1 ? "a newer one" : "one of these"): https://opencode.ai/docs")
        }
        return version
    }

    /// What it says of itself, with an empty environment.
    func version(_ path: String) throws(ControlError) -> ProgramVersion {
        let said: Capture?
        do throws(SpawnFailure) {
            said = try Capture.run(
                child.image(path, [name] + question), milliseconds: Self.limitMilliseconds,
                bytes: Self.limitBytes)
        } catch {
            let hint: String? =
                switch error.error {
                case .noEntry: "what it names to carry it out (its loader, its interpreter) is not there"
                case .noAccess: "the place where it goes must be one that \(child.userName) can reach: \(path)"
                case _: nil
                }
            throw ControlError(
                .failed, "\(origin) cannot be executed by \(child.userName): \(error.words)", hint: hint)
        }
        guard let said else {
            throw ControlError(
                .failed, "\(origin) did not answer `\(words)` within \(Self.limitMilliseconds / 1000) s")
        }
        guard said.status == 0 else {
            let end = said.status < 0 ? "was ended by signal \(-said.status)" : "ended with \(said.status)"
            throw ControlError(
                .failed, "`\(words)` of \(origin) \(end)\(Self.firstLine(said.errors + "\n" + said.output))")
        }
        guard let version = ProgramVersion(said.output) ?? ProgramVersion(said.errors) else {
            throw ControlError(
                .failed,
                "`\(words)` of \(origin) says no version that \(name) could have\(Self.firstLine(said.output))",
                hint: "give the program \(name) itself")
        }
        return version
    }

    private var words: String { question.joined(separator: " ") }

    /// What it said, for the end of a sentence.
    private static func firstLine(_ text: String) -> String {
        text.split(separator: "\n").first.map { ": \($0.prefix(200))" } ?? ""
    }
}
