/// Variables whose values `diff` and `reload` show: those of which it is known that they hold no secret. Every other may hold
/// one, whatever it is called. What is a secret by `{secret.NAME}` is shown as that, and never by its value.
enum PlainVariables {
    /// What most programs know (environ(7), locale(7)): paths and settings of the place where they run.
    private static let everybodys: Set<String> = [
        "EDITOR", "HOME", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "LC_NUMERIC", "LC_TIME", "LOGNAME",
        "NO_COLOR", "PATH", "PORT", "PWD", "SHELL", "SSL_CERT_DIR", "SSL_CERT_FILE", "TERM", "TMPDIR", "TZ", "USER",
        "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME",
    ]

    /// Nexus's own programs are told numbers, names, paths and addresses this way, and their secrets by files; but an address
    /// may have a secret in it.
    private static let own = "NEXUS_"
    private static let telling = ["TOKEN", "SECRET", "PASSWORD", "PASSPHRASE"]

    /// Whether it may be shown with these values, in words.
    static func canShow(_ name: String, _ values: [String]) -> Bool {
        if everybodys.contains(name) { return true }
        return name.hasPrefix(own) && !telling.contains { name.contains($0) } && !values.contains { $0.contains("://") }
    }
}
