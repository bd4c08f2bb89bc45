import ControlClient
import Glibc

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

    /// The table with what only this side knows: the clock and the name behind nexusd's uid.
    static func table(
        of report: StatusReport, from connection: ControlConnection, for terminal: Terminal,
        only names: [String] = []
    ) -> String {
        let user = report.uidWall ? nil : connection.serverUid.map { Accounts.name(of: $0) ?? "uid \($0)" }
        return report.table(up: uptime(of: report), user: user, for: terminal, only: names)
    }

    /// How long nexusd has been running, by the wall clock; nil when that says nothing of use.
    static func uptime(of report: StatusReport) -> Duration? {
        guard let started = WallTime(rfc3339: report.started) else { return nil }
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return WallTime(nanosecondsSince1970: Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)) - started
    }
}
