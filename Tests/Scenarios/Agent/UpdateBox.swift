import Foundation

/// A box of the repository's own tree in which opencode is another user's and is found in `DIR/bin`; the other versions of it wait
/// in a directory that only root can enter. All of them are echo-agent behind a version of their own.
struct UpdateBox {
    static let uid = 54_322
    let box: Box
    var directory: String { box.directory }
    /// What a search finds.
    var found: String { directory + "/bin/opencode" }
    /// What the plan names once a copy is accepted.
    var accepted: String { box.state + "/programs/opencode/current/opencode" }

    /// - Parameter edited: what a test wants of Supervisor.toml.
    init(edited: (String) -> String = { $0 }) throws {
        box = try Box.defaultTree { toml in
            let opencode = """
                [child.opencode]
                user = "\(Self.uid)"
                group = "\(Self.uid)"
                start-timeout = "6s"
                """
            return edited(
                toml.replacingOccurrences(of: "[child.opencode]", with: opencode)
                    .replacingOccurrences(of: "directory = \"~\"", with: "directory = \"DIR/home\"")
                    .replacingOccurrences(of: "path = \"~\"", with: "path = \"DIR/home\"")
                    .replacingOccurrences(of: "\nlisten = \"127.0.0.1:4780\"", with: "\nlisten = \"off\"")
                    .replacingOccurrences(
                        of: "\nPATH = \"{home}", with: "\nHOME = \"DIR/home\"\nPATH = \"DIR/bin:{home}"))
        }
        chmod(box.directory, 0o755)
        for (name, mode) in [("download", 0o700), ("bin", 0o755), ("home", 0o700)] {
            try FileManager.default.createDirectory(atPath: directory + "/" + name, withIntermediateDirectories: true)
            chmod(directory + "/" + name, mode_t(mode))
        }
        chown(directory + "/home", uid_t(Self.uid), gid_t(Self.uid))
    }

    /// With a version that a search finds, and ready.
    func start(found version: String = "1.18.0") throws {
        let program = try write(version)
        try FileManager.default.copyItem(atPath: program, toPath: found)
        try box.start()
        try box.waitReady()
    }

    /// A version in the download directory.
    /// - Parameter serve: what it does in place of serving.
    func write(_ version: String, serve: String? = nil) throws -> String {
        let state = directory + "/home/sessions"
        let serve =
            serve ?? "MARK=\(version) exec '\(Programs.path("echo-agent"))' \"$@\" --state '\(state)'"
        let path = directory + "/download/opencode-" + version
        let script = """
            #!/bin/sh
            [ "$1" = --version ] && { echo \(version); exit 0; }
            \(serve)

            """
        try script.write(toFile: path, atomically: true, encoding: .utf8)
        chmod(path, 0o755)
        return path
    }

    func update(_ words: String...) throws -> Finished {
        try run(Programs.path("nexusctl"), ["update"] + words, environment: environment)
    }

    /// Goes on; the caller ends it.
    func begin(_ words: String...) throws -> Running {
        try Running(Programs.path("nexusctl"), ["update"] + words, environment: environment)
    }

    var environment: [String: String] {
        [
            "NEXUS_RUNTIME_DIRECTORY": box.runtime, "NEXUS_STATE_DIRECTORY": box.state,
            "PATH": "/usr/sbin:/usr/bin:/bin", "HOME": directory,
        ]
    }

    /// The version of which the process is that serves.
    func running() throws -> String? {
        guard let pid = try box.status().child("opencode")?.pid else { return nil }
        let environment = (try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/environ"))) ?? Data()
        return environment.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            .first { $0.hasPrefix("MARK=") }.map { String($0.dropFirst(5)) }
    }

    /// The copies that are there, by their hashes.
    func copies() -> [String] {
        let names = try? FileManager.default.contentsOfDirectory(atPath: box.state + "/programs/opencode")
        return (names ?? []).filter { $0.count == 64 }
    }

    /// The book as programs see it.
    func list() throws -> [String: Any] {
        let answer = try update("--list", "--json")
        let object = try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any]
        return (object?["programs"] as? [[String: Any]])?.first ?? [:]
    }

    /// doctor's lines on updates.
    func findings() throws -> [String] {
        let answer = try run(Programs.path("nexusctl"), ["doctor", "--json"], environment: environment)
        let object = try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any]
        let findings = object?["findings"] as? [[String: Any]] ?? []
        return findings.filter { $0["subject"] as? String == "updates" }
            .map { "\($0["level"] ?? "") \($0["words"] ?? "") → \($0["remedy"] ?? "")" }
    }
}
