import ControlClient
import Wire

/// `status --watch`: the table, drawn again when nexusd says that something happened, and each second for the times
/// in it.
struct WatchedStatus {
    let connection: ControlConnection
    let name: String?
    // A burst of events (a group that restarts) is one picture.
    private static let burstMilliseconds: Int64 = 100
    private static let secondMilliseconds: Int64 = 1000

    init(connection: ControlConnection, name: String?) {
        self.connection = connection
        self.name = name
    }

    /// Ends with Ctrl-C, or with nexusd.
    func run() throws(ControlError) {
        let events = connection.request("events")
        var question = connection.request("status")
        var answer: [UInt8] = []
        // When the next picture is due; nil while an answer is awaited.
        var due: Int64?
        // ECMA-48: an empty screen to begin with.
        if Terminal.standardOutput.columns != nil { Output.write("\u{1B}[2J") }
        while true {
            guard let frame = try connection.next(until: due) else {
                due = nil
                question = connection.request("status")
                continue
            }
            if frame.header.id == events {
                if frame.header.kind == .error { throw ControlConnection.failure(frame.payload) }
                due = due.map { min($0, ControlConnection.now() + Self.burstMilliseconds) }
                continue
            }
            guard frame.header.id == question else { continue }
            switch frame.header.kind {
            case .stream: answer += frame.payload
            case .reply, .end:
                try draw(answer + frame.payload)
                answer = []
                due = ControlConnection.now() + Self.secondMilliseconds
            case .error: throw ControlConnection.failure(frame.payload)
            case .hello, .welcome, .request, .event, .cancel, .credit, .ping, .pong, .drain, .drained, .ready, .status,
                .health:
                continue
            }
        }
    }

    private func draw(_ answer: [UInt8]) throws(ControlError) {
        let terminal = Terminal.standardOutput
        let report = StatusReport(try ControlConnection.json(answer))
        let text = try StatusCommand.text(report, from: connection, name: name, for: terminal)
        // Home, the text with each line's rest erased, then everything below. No flicker, no scrolled screen.
        let drawn = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\u{1B}[K\n")
        Output.write(terminal.columns == nil ? text + "\n" : "\u{1B}[H" + drawn + "\u{1B}[J")
    }
}
