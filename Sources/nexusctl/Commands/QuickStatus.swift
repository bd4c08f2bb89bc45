import ControlClient
import Glibc

/// `nexusctl status` as people and scripts call it most: its few arguments are read here, because building the parser
/// of the whole command line takes longer than asking nexusd and showing the table.
struct QuickStatus {
    private var runtime: String?
    private var state: String?
    private var json = false

    /// Nil for every other command line; ArgumentParser judges that one.
    init?(_ arguments: [String]) {
        guard arguments.first == "status" else { return nil }
        var rest = arguments.dropFirst()
        while let word = rest.popFirst() {
            switch word {
            case "--json": json = true
            case "--runtime":
                guard let value = rest.popFirst() else { return nil }
                runtime = value
            case "--state":
                guard let value = rest.popFirst() else { return nil }
                state = value
            case _: return nil
            }
        }
    }

    func run() throws(ControlError) {
        let place = try Locations.ofThisProcess(state: state, runtime: runtime)
        let connection = try ControlConnection(socket: place.controlSocket)
        let answer = try StatusQuestion.ask(connection)
        if json {
            Output.write(answer + [UInt8(ascii: "\n")])
        } else {
            let report = StatusReport(try ControlConnection.json(answer))
            Output.write(StatusQuestion.table(of: report, from: connection, for: .standardOutput))
        }
    }
}

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
        only names: Set<String> = []
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
