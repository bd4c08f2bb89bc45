import ControlClient

/// Asking for the status, for all who need it.
enum StatusQuestion {
    /// nexusd answers from memory within milliseconds; one that does not within this time is stopped or stuck.
    static let limitMilliseconds: Int64 = 10_000

    /// The answer's bytes.
    static func ask(_ connection: ControlConnection, child: String? = nil) throws(ControlError) -> [UInt8] {
        let id = connection.request(child.map { "status \($0)" } ?? "status")
        return try connection.answer(to: id, until: ControlConnection.now() + limitMilliseconds)
    }

    /// The whole report.
    static func report(_ connection: ControlConnection) throws(ControlError) -> StatusReport {
        StatusReport(try ControlConnection.json(ask(connection)))
    }

    /// The table with what only this side knows: the name behind nexusd's uid.
    static func table(
        of report: StatusReport, from connection: ControlConnection, for terminal: Terminal,
        only names: [String] = []
    ) -> String {
        let user = connection.serverUid.map { Accounts.name(of: $0) ?? "uid \($0)" }
        return report.table(user: user, for: terminal, only: names)
    }
}
