import Plan

@testable import NexusConfiguration

/// A machine with known users, programs and rights, so that diagnostics are the same everywhere.
struct FakeMachine: Machine {
    var userID: UInt32 = 1000
    var groupID: UInt32 = 1000
    var rights: Set<Right> = []
    var links: [String: String] = [:]
    var locks: [String: UInt32?] = [:]
    var variables = ["HOME": "/home/ann"]
    var hardLimits: [UInt8: UInt64] = [7: 4096, 4: 0]
    var oomScoreAdjust = 0
    /// 2026-03-01 00:00:00 UTC, a Sunday.
    var now: Int64 = 1_772_323_200
    var zone: @Sendable (Int64) -> Int64 = { _ in 0 }
    var files: [String: FileStatus] = FakeMachine.machine
    var contents = ["/etc/nexus/page.pem", "/etc/nexus/page.key"].reduce(into: [String: [UInt8]]()) {
        $0[$1] = Array("-----BEGIN THING-----\n".utf8)
    }

    static let users = [
        User(name: "root", id: 0, group: 0, home: "/root", shell: "/bin/bash"),
        User(name: "ann", id: 1000, group: 1000, home: "/home/ann", shell: "/bin/sh"),
        User(name: "web", id: 33, group: 33, home: "/srv/web", shell: "/usr/sbin/nologin"),
    ]
    static let groupsByName: [String: UInt32] = ["root": 0, "ann": 1000, "web": 33, "adm": 4]

    /// root on the same machine.
    static var root: FakeMachine {
        var host = FakeMachine()
        host.userID = 0
        host.groupID = 0
        host.rights = [
            .changeUser, .raiseLimits, .raisePriority, .changeOwner, .limitCapabilities, .bindLowPorts,
        ]
        host.variables = ["HOME": "/root"]
        return host
    }

    private static let machine: [String: FileStatus] = {
        var files: [String: FileStatus] = [:]
        for path in [
            "/lib/nexus/log-writer", "/lib/nexus/nexus-probe", "/lib/nexus/worker", "/bin/true", "/bin/sh",
            "/usr/bin/env", "/usr/bin/zstd",
        ] {
            files[path] = FileStatus(kind: .regular, mode: 0o755, owner: 0, group: 0)
        }
        for path in ["/", "/etc", "/home/ann", "/srv", "/srv/web", "/root", "/etc/nexus", "/run/web"] {
            files[path] = FileStatus(kind: .directory, mode: 0o755, owner: 0, group: 0)
        }
        files["/etc/hosts"] = FileStatus(kind: .regular, mode: 0o644, owner: 0, group: 0)
        files["/etc/nexus/token"] = FileStatus(kind: .regular, mode: 0o600, owner: 0, group: 0, size: 32)
        files["/etc/nexus/huge-token"] = FileStatus(kind: .regular, mode: 0o600, owner: 0, group: 0, size: 70_000)
        for path in ["/etc/nexus/page.pem", "/etc/nexus/page.key", "/etc/nexus/page.txt"] {
            files[path] = FileStatus(kind: .regular, mode: 0o640, owner: 0, group: 0)
        }
        files["/bin/only-root"] = FileStatus(kind: .regular, mode: 0o700, owner: 0, group: 0)
        return files
    }()

    /// With a readable file.
    func adding(_ path: String, _ text: String, mode: UInt32 = 0o644) -> FakeMachine {
        var host = self
        host.files[path] = FileStatus(kind: .regular, mode: mode, owner: userID, group: groupID, size: text.utf8.count)
        host.contents[path] = Array(text.utf8)
        return host
    }

    func offset(at second: Int64) -> Int64 { zone(second) }
    func may(_ right: Right) -> Bool { rights.contains(right) }
    func user(named name: String) -> User? { FakeMachine.users.first { $0.name == name } }
    func user(id: UInt32) -> User? { FakeMachine.users.first { $0.id == id } }
    func group(named name: String) -> UInt32? { FakeMachine.groupsByName[name] }
    func groups(of user: User) -> [UInt32] { user.name == "web" ? [4, 33] : [user.group] }
    var userNames: [String] { FakeMachine.users.map(\.name) }
    var groupNames: [String] { FakeMachine.groupsByName.keys.sorted() }
    func variable(_ name: String) -> String? { variables[name] }
    func lock(of path: String) -> FileLock { locks[path].map { .held(by: $0) } ?? .free }
    func isInMemory(_ path: String) -> Bool { path.hasPrefix("/run/") }
    func softLimit(_ resource: UInt8) -> UInt64 { resource == ResourceName.stack.rawValue ? 8 << 20 : .max }
    func status(_ path: String) -> FileStatus? { files[realPath(path) ?? path] }
    func has(capability: UInt8) -> Bool { userID == 0 && capability != 21 }
    var firstOpenPort: UInt16 { 1024 }
    func parse(inet6 text: String) -> [UInt8]? { LiveMachine().parse(inet6: text) }
    func readLink(_ path: String) -> String? { links[path] }
    func realPath(_ path: String) -> String? {
        var path = path
        while let next = links[path] { path = next }
        return files[path] == nil ? nil : path
    }
    func hardLimit(_ resource: UInt8) -> UInt64 { hardLimits[resource] ?? .max }

    func read(_ path: String, limit: Int) throws(MachineError) -> (FileStatus, [UInt8]) {
        guard let status = files[path] else { throw .missing }
        guard status.kind == .regular else { throw .notRegular("a directory") }
        guard status.size <= limit else { throw .tooLarge(bytes: status.size) }
        return (status, contents[path] ?? [])
    }

    /// Parses a text as `Supervisor.toml` in /etc/nexus on this machine.
    func parse(_ text: String, runtime: String = "/run/nexus") throws(ConfigurationError) -> Configured {
        let places = Places(
            config: "/etc/nexus/Supervisor.toml", name: "Supervisor.toml", state: "/var/lib/nexus", runtime: runtime,
            bin: "/lib/nexus")
        return try SupervisorFile.parse(Array(text.utf8), places, host: self)
    }

    /// The diagnostics of a text that is refused, one a line; empty when it is accepted.
    func diagnostics(_ text: String) -> String {
        do {
            _ = try parse(text)
            return ""
        } catch {
            return error.description
        }
    }
}
