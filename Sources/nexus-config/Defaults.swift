import Glibc

/// The places of this user, as nexusd resolves them: those that NEXUS_STATE_DIRECTORY and NEXUS_RUNTIME_DIRECTORY name, else root
/// has the system's, everybody else those of the XDG base directory specification (which has relative paths in its variables ignored).
struct Defaults {
    private var isRoot: Bool { geteuid() == 0 }

    var config: String {
        isRoot
            ? "/etc/nexus/Supervisor.toml"
            : (Defaults.variable("XDG_CONFIG_HOME") ?? home + "/.config") + "/nexus/Supervisor.toml"
    }

    var state: String {
        if let given = Defaults.given("NEXUS_STATE_DIRECTORY") { return given }
        return isRoot ? "/var/lib/nexus" : (Defaults.variable("XDG_STATE_HOME") ?? home + "/.local/state") + "/nexus"
    }

    func runtime(state: String) -> String {
        if let given = Defaults.given("NEXUS_RUNTIME_DIRECTORY") { return given }
        return isRoot ? "/run/nexus" : Defaults.variable("XDG_RUNTIME_DIR").map { $0 + "/nexus" } ?? state + "/run"
    }

    /// The directory of this program.
    var bin: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { return "/usr/lib/nexus" }
        let path = String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
        return path.split(separator: "/").dropLast().map { "/" + $0 }.joined()
    }

    /// From the current directory, when it is relative; a trailing slash is dropped.
    static func absolute(_ path: String) -> String {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        if path.hasPrefix("/") { return path }
        while path.hasPrefix("./") { path.removeFirst(2) }
        guard let current = getcwd(nil, 0) else { return "/" + path }
        defer { free(current) }
        return path == "." ? String(cString: current) : String(cString: current) + "/" + path
    }

    private var home: String { Defaults.variable("HOME") ?? "/" }

    private static func given(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : absolute($0) }
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil }
    }
}
