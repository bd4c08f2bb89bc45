/// Paths as a person writes them: absolute, from the home directory (`~`, `~/x`) or from the file (`.`, `./x`).
struct PathText {
    let places: Places
    let host: any Machine

    /// The home of the user who runs nexusd.
    var ownHome: String? {
        if let home = host.variable("HOME"), home.hasPrefix("/") { return home }
        return host.user(id: host.userID)?.home
    }

    /// nil: a path of another form, or `~` without a home.
    func absolute(_ text: String, home: String?) -> String? {
        if text.hasPrefix("/") { return text }
        if text == "~" || text.hasPrefix("~/") { return home.map { join($0, text.dropFirst(1)) } }
        if text == "." || text.hasPrefix("./") { return join(places.configDirectory, text.dropFirst(1)) }
        return nil
    }

    static func refusal(_ key: String, _ text: String) -> String {
        "'\(key)' must be an absolute path, or begin with '~/' (home) or './' (this file's directory), found \"\(text)\""
    }

    /// What to write instead of a path that is none of these.
    func remedy(for text: String) -> String {
        if text.hasPrefix("~") { return "write it from '/', '~/' or './'" }
        return
            "write \"./\(text)\" where it begins in this file's directory (\(places.configDirectory)), else from '/' or '~/'"
    }

    private func join(_ base: String, _ rest: Substring) -> String {
        let rest = rest.drop { $0 == "/" }
        if rest.isEmpty { return base }
        return base.hasSuffix("/") ? base + rest : base + "/" + rest
    }
}
