import Plan

/// Looks up users and groups, by name or number.
struct People {
    let host: any Host
    let report: Report

    func users(_ names: [Placed<String>], key: String) -> [UInt32] {
        names.compactMap { user($0.value, $0.position, key: key)?.id }
    }

    func groups(_ names: [Placed<String>], key: String) -> [UInt32] {
        names.compactMap { group($0.value, $0.position, key: key) }
    }

    /// A user by name or uid; a uid without a passwd entry gives a user whose `group` is its own number.
    func user(_ text: String, _ position: Position, key: String) -> User? {
        if let number = UInt32(text), number != .max {
            return host.user(id: number) ?? User(name: text, id: number, group: number, home: "/", shell: "/bin/sh")
        }
        if let user = host.user(named: text) { return user }
        report.error(
            position, "'\(key)' names an unknown user '\(text)'\(Nearest.hint(for: text, among: host.userNames))")
        return nil
    }

    /// A group by name or gid.
    func group(_ text: String, _ position: Position, key: String) -> UInt32? {
        if let number = UInt32(text), number != .max { return number }
        if let group = host.group(named: text) { return group }
        report.error(
            position, "'\(key)' names an unknown group '\(text)'\(Nearest.hint(for: text, among: host.groupNames))")
        return nil
    }
}
