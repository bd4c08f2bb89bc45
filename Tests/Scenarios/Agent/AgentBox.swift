import Foundation

/// A box of root's with an agent of another user: opencode is looked for in `DIR/bin`, the stand-in of Tests/Fixtures waits in a
/// directory that only root can enter.
struct AgentBox {
    static let uid = 54_321
    let box: Box
    var directory: String { box.directory }
    /// What `nexusctl agent install` is given.
    var download: String { directory + "/download/opencode" }
    /// Where it goes.
    var program: String { directory + "/bin/opencode" }
    var home: String { directory + "/home" }
    var login: String { home + "/.local/share/opencode/auth.json" }

    static let tree = """
        [agent]
        workspaces = [{ name = "home", path = "DIR/home" }]
        [child.opencode]
        command = ["opencode", "serve", "--hostname", "127.0.0.1", "--port", "0", "--state", "DIR/home/sessions"]
        fallback = ["echo-agent", "serve", "--hostname", "127.0.0.1", "--port", "0", "--state", "DIR/home/sessions"]
        ready = { log-line = "server listening on http://127.0.0.1:{port:int}" }
        delay = { first = "20ms", cap = "200ms", stable-after = "50ms" }
        user = "54321"
        group = "54321"
        directory = "DIR/home"
        umask = "0027"
        environment = { HOME = "DIR/home", PATH = "DIR/bin:/usr/bin:/bin", ECHO_AGENT = "BINARY/echo-agent", \
        NEXUS_WORKSPACES = "{workspaces}", MARK = "of the file", OPENCODE_SERVER_PASSWORD = { secret = "password" } }
        [group.agent]
        children = ["opencode"]
        [secret.password]
        generate = 32
        """

    init(stableAfter: String = "50ms") throws {
        let tree = Self.tree.replacingOccurrences(of: "BINARY", with: Programs.directory)
        box = try Box(tree.replacingOccurrences(of: "50ms", with: stableAfter))
        chmod(box.directory, 0o755)
        for (name, mode) in [("download", 0o700), ("bin", 0o755), ("home", 0o700)] {
            try FileManager.default.createDirectory(
                atPath: box.directory + "/" + name, withIntermediateDirectories: true)
            chmod(box.directory + "/" + name, mode_t(mode))
        }
        chown(home, uid_t(Self.uid), gid_t(Self.uid))
        try FileManager.default.copyItem(atPath: Programs.repository + "/Tests/Fixtures/opencode", toPath: download)
    }

    /// A program of a test's own, to be installed.
    func write(_ text: String, _ name: String = "other") throws -> String {
        let path = directory + "/download/" + name
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        chmod(path, 0o755)
        return path
    }

    func install(_ words: String...) throws -> Finished {
        try ctl(["agent", "install"] + words + ["--to", program])
    }

    func ctl(_ words: [String]) throws -> Finished {
        try run(Programs.path("nexusctl"), words, environment: environment)
    }

    var environment: [String: String] {
        [
            "NEXUS_RUNTIME_DIRECTORY": box.runtime, "NEXUS_STATE_DIRECTORY": box.state,
            "PATH": "/usr/sbin:/usr/bin:/bin",
            "HOME": box.directory, "TERM": "xterm", "OWN": "of the owner's shell",
        ]
    }

    /// nexusctl at a terminal.
    func typist(_ words: String..., columns: UInt16 = 200) throws -> Typist {
        try Typist(Programs.path("nexusctl"), words, environment: environment, columns: columns)
    }

    func object(_ answer: Finished) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any]
        return object ?? [:]
    }
}
