import Plan

/// The variables that every child has; built from empty, so that nothing of the caller's leaks into the tree.
struct BaseEnvironment {
    /// In this order: PATH HOME USER LOGNAME SHELL LANG TMPDIR.
    let variables: [Variable]
    /// The child's home.
    let home: String

    /// Where programs are looked up unless the child has a PATH of its own.
    static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// `isOwn`: the child runs as nexusd does, and HOME is the caller's, who may have set it on purpose.
    init(child: String, user: User?, uid: UInt32, isOwn: Bool, state: String, host: any Machine) {
        let given = isOwn ? host.variable("HOME").flatMap { $0.hasPrefix("/") ? $0 : nil } : nil
        home = given ?? user?.home ?? "/"
        let name = user?.name ?? String(uid)
        // An account that nobody logs in as names a program that refuses; tools would run it in place of a shell.
        let shell =
            user.map(\.shell).flatMap {
                ["", "nologin", "false"].contains($0.split(separator: "/").last ?? "") ? nil : $0
            } ?? "/bin/sh"
        variables = [
            ("PATH", BaseEnvironment.path), ("HOME", home), ("USER", name), ("LOGNAME", name), ("SHELL", shell),
            ("LANG", "C.UTF-8"), ("TMPDIR", "\(state)/tmp/\(child)"),
        ].map { Variable(name: $0.0, value: Text($0.1)) }
    }
}
