/// Words that a file may not use for its own things.
enum Reserved {
    /// Variables that nexusd sets for each run.
    static let variables: Set<String> = [
        "NEXUS_CHILD", "NEXUS_RUN_ID", "NEXUS_LIFE", "NOTIFY_SOCKET", "CREDENTIALS_DIRECTORY", "WATCHDOG_USEC",
        "WATCHDOG_PID",
        "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
    ]
    /// `all` is everything on the command line; `log-writer`, `nexus-probe` and `nexusd` are ours; `secret` would hide `{secret.NAME}`.
    static let names = ["all", "log-writer", "nexus-probe", "nexusd", "secret"]
    /// Names that log-writer itself uses in the directory where every child's log has its own.
    static let logNames = ["runs", "lock"]
    /// Directories in the state directory that are not a child's.
    static let directories = ["logs", "tmp", "run", "choices", "last-good", "last-second", "programs", "reports"]
}
