import ArgumentParser
import ControlClient

/// `--timeout`, the same for every command that waits for what it asked for.
struct Limit: ParsableArguments {
    @Option(
        help: """
            Waits at most this long: 500ms, 30s, 5min, 2h or a bare number of seconds; then ends with 5 and says how far it is. What was asked for goes on. \
            Without it: as long as it takes.
            """)
    var timeout: String?

    /// For a command that is called by another one.
    static var none: Limit {
        var limit = Limit()
        limit.timeout = nil
        return limit
    }

    func validate() throws {
        if let timeout { _ = try Self.milliseconds(timeout) }
    }

    /// From now; nil: without an end.
    var deadline: Int64? { timeout.flatMap { try? Self.milliseconds($0) }.map { ControlConnection.now() + $0 } }

    static func milliseconds(_ text: String) throws -> Int64 {
        guard let time = Duration(spoken: text) else {
            throw ValidationError("'\(text)' is no time; write 500ms, 30s or 5min")
        }
        return time.components.seconds * 1000 + time.components.attoseconds / 1_000_000_000_000_000
    }
}
