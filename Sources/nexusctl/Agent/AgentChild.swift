import ControlClient
import Glibc
import System
import Wire

/// The child that is opencode, or stands in for it, or another of the programs that Nexus does not bring: whom it runs as, and with
/// what. Not guessed: nexus-config reads it from Supervisor.toml, as nexusd has it read.
struct AgentChild {
    let name: String
    /// Empty: it is off, and its program is not there.
    let executable: String
    /// echo-agent, for want of an opencode.
    let isStandIn: Bool
    /// Whom it runs as; nil: nexusd's own user.
    let user: String?
    let identity: SpawnIdentity?
    let directory: String
    let umask: UInt16
    /// Without what is a secret, or known only when it is spawned.
    let environment: [(name: String, value: String)]
    let workspaces: AgentWorkspaces
    /// Supervisor.toml.
    let config: String
    /// nexusd's; nil where none runs.
    let report: StatusReport?
    /// The directories of nexusd.
    let locations: Locations

    /// - Parameter program: what the child is, or is called.
    init(_ place: Place, program: String = "opencode") throws(ControlError) {
        locations = try place.locations()
        report = try Self.report(locations)
        let answer = try Self.description(program, locations, report)
        guard let child = answer["child"]?.text else {
            throw ControlError(
                .failed, "\(answer["config"]?.text ?? "Supervisor.toml") has no child that is \(program)",
                hint: "it is called \(program), or its program is; see: nexusctl explain child")
        }
        name = child
        executable = answer["executable"]?.text ?? ""
        isStandIn = answer["stand_in"]?.flag ?? false
        user = answer["user"]?.text
        let number = { (name: String) in answer[name]?.number.flatMap { UInt32(exactly: $0) } }
        if let uid = number("uid"), let gid = number("gid"), uid != geteuid() {
            let groups = (answer["groups"]?.elements ?? []).compactMap { $0.number.flatMap { UInt32(exactly: $0) } }
            identity = SpawnIdentity(user: uid, group: gid, groups: groups)
        } else {
            identity = nil
        }
        directory = answer["directory"]?.text ?? "/"
        umask = number("umask").flatMap { UInt16(exactly: $0) } ?? 0o077
        environment = (answer["environment"]?.members ?? []).compactMap { member in
            member.value.text.map { (member.name, $0) }
        }
        workspaces = AgentWorkspaces(
            (answer["workspaces"]?.elements ?? []).map {
                .init(name: $0["name"]?.text ?? "?", path: $0["path"]?.text ?? "/")
            })
        config = answer["config"]?.text ?? "Supervisor.toml"
    }

    /// Only nexusd's own user can do what belongs to its children: root, where they have users of their own.
    private static func report(_ locations: Locations) throws(ControlError) -> StatusReport? {
        let connection: ControlConnection
        do throws(ControlError) {
            connection = try ControlConnection(socket: locations.controlSocket, waitsForNext: true)
        } catch {
            guard error.code == .notRunning else { throw error }
            return nil
        }
        if let uid = connection.serverUid, uid != geteuid() {
            throw ControlError(
                .refused,
                "nexusd runs as \(Accounts.name(of: uid) ?? "uid \(uid)"), and the agent is that user's to look after",
                hint: uid == 0 ? "the same with sudo, or as root" : "do it as that user")
        }
        return try StatusQuestion.report(connection)
    }

    private static func description(
        _ program: String, _ locations: Locations, _ report: StatusReport?
    ) throws(ControlError) -> JSONValue {
        let words = ["agent", "--program", program, "--state", locations.state, "--runtime", locations.runtime]
        guard let own = BesideUs.directory,
            let said = Capture.run(own + "/nexus-config", words + (report.map { [$0.config] } ?? []))
        else {
            throw ControlError(
                .failed, "nexus-config did not say who the agent is",
                hint: "the programs of Nexus belong in one directory: see `nexusctl doctor`")
        }
        guard said.status == 0 else { throw ControlError(.configuration, said.errors, hint: "mend it first") }
        return try ControlConnection.json(Array(said.output.utf8))
    }

    /// Whom it runs as, in words.
    var userName: String { user ?? Accounts.name(of: geteuid()) ?? "uid \(geteuid())" }

    /// How nexusd has it.
    var status: ChildStatus? { report?.children.first { $0.name == name } }

    /// By nexusd; false where none runs.
    var isMeantToRun: Bool { status?.isMeantToRun ?? false }

    func variable(_ name: String) -> String? { environment.last { $0.name == name }?.value }

    /// Where opencode keeps what lasts: data, and the log-in (XDG base directories).
    var dataDirectory: String? {
        if let given = variable("XDG_DATA_HOME"), given.hasPrefix("/") { return given + "/opencode" }
        return variable("HOME").map { $0 + "/.local/share/opencode" }
    }

    /// Where the log-in is kept. Only its length is ever looked at.
    var login: String? { dataDirectory.map { $0 + "/auth.json" } }

    /// Somebody logged in: the file has more in it than `{}`.
    var isLoggedIn: Bool {
        guard let login, let status = try? LiveKernel().status(login, followingLinks: true) else { return false }
        return status.size > 4
    }

    /// A program as its user, with nothing else of its own.
    func image(_ program: String, _ arguments: [String]) -> SpawnImage {
        var image = SpawnImage(executable: program, arguments: arguments, environment: [])
        image.identity = identity
        image.umask = umask
        return image
    }
}
