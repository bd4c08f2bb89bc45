import ControlClient
import Glibc
import System

extension Doctor {
    /// opencode, as it should be after its first day. Of a tree that runs only where one of its children is opencode, or stands
    /// for it.
    func agent() -> [Finding] {
        guard let report else {
            if let path = Self.find("opencode") { return [Finding(.ok, "opencode", path)] }
            return [Finding(.warn, "opencode", "not in PATH", remedy: install)]
        }
        let status = report.children.first {
            $0.name == "opencode" || $0.executable?.hasSuffix("/opencode") ?? false
        }
        guard let status else { return [] }
        let isStandIn = status.executable?.hasSuffix("/echo-agent") ?? false
        let first =
            isStandIn ? standIn() : Finding(.ok, "opencode", "the tree runs \(status.executable ?? "it")")
        return [first] + stopped(status) + day(isStandIn ? nil : status.executable)
    }

    /// For want of an opencode, or of a reload since there is one.
    private func standIn() -> Finding {
        if let child = try? AgentChild(asked), !child.isStandIn, !child.executable.isEmpty {
            return Finding(
                .warn, "opencode",
                "\(child.executable) is there, and the built-in echo-agent still answers in its place",
                remedy: "nexusctl reload")
        }
        return Finding(
            .warn, "opencode", "not found: the built-in echo-agent answers, which is no AI", remedy: install)
    }

    /// As whom nexusd runs says where it has to lie, whoever asks.
    private var install: String {
        user == 0
            ? "get opencode (https://opencode.ai/docs), then: \(geteuid() == 0 ? "" : "sudo ")nexusctl agent install PATH --restart"
            : "install opencode (https://opencode.ai/docs), then `nexusctl reload`"
    }

    /// One that is parked is told of with the other children.
    private func stopped(_ status: ChildStatus) -> [Finding] {
        guard status.state == "off" else { return [] }
        let why = status.choice == "off" ? "it was stopped by command" : "it is off"
        return [
            Finding(
                .warn, "opencode", "\(why): nobody answers in the chat", remedy: "nexusctl start \(status.name)")
        ]
    }

    /// What only nexusd's own user can look at.
    /// - Parameter program: what runs; nil: nothing but a stand-in.
    private func day(_ program: String?) -> [Finding] {
        let child: AgentChild
        do throws(ControlError) {
            child = try AgentChild(asked)
        } catch {
            // Of a file that is refused there is a finding already.
            guard error.code == .refused else { return [] }
            return [Finding(.warn, "agent", "not judged: \(error.message)", remedy: error.hint)]
        }
        // Of a program that can no longer be executed, Supervisor.toml comes to the stand-in.
        let own = program.map { self.program($0, child) + [login(child)] } ?? []
        return own + workspaces(child)
    }

    private func program(_ executable: String, _ child: AgentChild) -> [Finding] {
        guard child.identity != nil, let resolved = realpath(executable, nil) else { return [] }
        defer { free(resolved) }
        let path = String(cString: resolved)
        // Where it belongs a copy of it would lie in its own way.
        let copy =
            path == "/usr/local/bin/opencode"
            ? "chown root:root \(path) && chmod 755 \(path)" : "nexusctl agent install \(path.shellWord)"
        var (places, place) = (["/"], "")
        for part in path.split(separator: "/") {
            place += "/" + part
            places.append(place)
        }
        guard let root = try? kernel.open("/", [.path, .directory], mode: 0) else { return [] }
        let name = { (path: String) in path == "/" ? "." : String(path.dropFirst()) }
        let looks =
            [AccessLook(directory: root.raw, name: name(path), right: [.read, .enter])]
            + places.map { AccessLook(directory: root.raw, name: name($0), right: .write) }
        guard let answers = try? AccessLook.ask(looks, as: child.identity) else { return [] }
        if let error = answers[0] {
            return [
                Finding(.bad, "opencode", "\(child.userName) cannot execute \(path): \(error)", remedy: copy)
            ]
        }
        let open = zip(places, answers.dropFirst()).reversed().first { place, error in
            error == nil && !holds(place, path, child)
        }
        guard let open else { return [] }
        return [
            Finding(
                .warn, "opencode",
                "the agent can change the program that it runs: \(child.userName) may write \(open.0)", remedy: copy)
        ]
    }

    /// In a directory with the sticky bit nobody replaces what is another's (/tmp).
    private func holds(_ directory: String, _ path: String, _ child: AgentChild) -> Bool {
        guard directory != path, let status = try? kernel.status(directory, followingLinks: false) else { return false }
        return status.mode & 0o1000 != 0 && status.user != child.identity?.user
    }

    private func login(_ child: AgentChild) -> Finding {
        let file = child.login ?? "its data directory"
        if child.isLoggedIn { return Finding(.ok, "log-in", "kept in \(file)") }
        return Finding(
            .warn, "log-in", "nobody logged in at a provider: \(file) is missing or empty",
            remedy: "nexusctl agent login, unless its provider needs none")
    }

    private func workspaces(_ child: AgentChild) -> [Finding] {
        let look = WorkspaceLook(child)
        let list = child.workspaces.list
        let wrong = list.compactMap { workspace in
            look.complaint(workspace.path).map {
                Finding(.bad, "workspace", "\(workspace.name): \($0.words)", remedy: $0.remedy)
            }
        }
        let forgotten = look.unlisted.map {
            Finding(
                .warn, "workspace", "\($0): the unit lets the agent write there, and \(child.config) does not name it",
                remedy: WorkspaceLook.remedy(ofUnlisted: $0))
        }
        guard wrong.isEmpty, !list.isEmpty else { return wrong + forgotten }
        return [Finding(.ok, "workspaces", list.map(\.path).joined(separator: ", "))] + forgotten
    }

    private static func find(_ program: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        return path.split(separator: ":").map { $0 + "/" + program }.first { access($0, X_OK) == 0 }
    }
}
