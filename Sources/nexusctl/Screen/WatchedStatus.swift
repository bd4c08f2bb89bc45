import ControlClient
import Glibc

/// `status --watch`: the table on a screen of its own, drawn anew when nexusd says that something happened. It outlives
/// nexusd: when that goes, the last picture stays with a word about it, and goes on when it is back.
final class WatchedStatus {
    private let place: Locations
    private let name: String?
    private var feed: StatusFeed?
    private var report: StatusReport?
    /// When the report came.
    private var reportedAt: Int64 = 0
    /// Since when nobody answers: the time of day, and by the clock that the report goes by.
    private var gone: (since: String, at: Int64)?
    private var offset = 0
    private var user: String?
    private var isOver = false
    // The times in the table go on by themselves.
    private static let secondMilliseconds: Int64 = 1000
    private static let lowRows = 16

    init(_ place: Locations, name: String?) {
        self.place = place
        self.name = name
    }

    /// Ends with q, Ctrl-C, SIGTERM or the terminal. That nexusd does not run at the very beginning is an error.
    func run() throws(ControlError) {
        try open()
        // The first answer decides whether there is anything to watch: an error is better read without a screen.
        try check(
            StatusReport(try ControlConnection.json(StatusQuestion.ask(ControlConnection(socket: place.controlSocket))))
        )
        guard let terminal = LiveTerminal() else { return try printEach() }
        try watch(terminal)
    }

    private func check(_ report: StatusReport) throws(ControlError) {
        if let name { _ = try WrittenName(name).needed(in: report) }
    }

    private func open() throws(ControlError) {
        let connection = try ControlConnection(socket: place.controlSocket)
        feed = try StatusFeed(connection)
        user = connection.serverUid.map { Accounts.name(of: $0) ?? "uid \($0)" }
    }

    // MARK: - On a screen

    private func watch(_ terminal: borrowing LiveTerminal) throws(ControlError) {
        let arrivals = try Arrivals(readsKeys: true)
        while !isOver {
            // Made before the attempt to connect: what appears meanwhile is not missed.
            let watch = SocketWatch(place)
            if feed == nil { reconnect() }
            if serve() || feed == nil { draw(terminal) }
            guard !isOver else { return }
            let other = feed?.connection.descriptor ?? watch.descriptor
            let pause = min(Self.secondMilliseconds, (feed?.due ?? .max) - ControlConnection.now())
            switch arrivals.wait(for: other, milliseconds: pause) {
            case .keys(let keys): for key in keys { take(key, terminal) }
            case .resized, .timeout: draw(terminal)
            case .end: isOver = true
            case .other: break
            }
        }
    }

    /// Reads what came and asks what is due; true when there is something new to show.
    private func serve() -> Bool {
        guard let feed else { return false }
        do throws(ControlError) {
            try feed.askIfDue()
            guard let newest = try feed.take() else { return false }
            report = newest
            reportedAt = ControlConnection.now()
            gone = nil
            return true
        } catch {
            self.feed = nil
            lose()
            return true
        }
    }

    private func reconnect() {
        do throws(ControlError) {
            try open()
        } catch {
            lose()
        }
    }

    /// Nobody answers. One that was let in and went before it said anything is no end of that.
    private func lose() { gone = gone ?? (Self.clock, ControlConnection.now()) }

    private func take(_ key: Key, _ terminal: borrowing LiveTerminal) {
        let page = max(1, terminal.size.rows - 6)
        switch key {
        case .quit: isOver = true
        case .suspend: terminal.suspend()
        case .redraw: Output.write("\u{1B}[2J")
        case .up: offset -= 1
        case .down: offset += 1
        case .pageUp: offset -= page
        case .pageDown: offset += page
        case .first: offset = 0
        case .last: offset = .max / 2
        }
        if !isOver { draw(terminal) }
    }

    private func draw(_ terminal: borrowing LiveTerminal) {
        let (columns, rows) = terminal.size
        var frame = ScreenFrame(columns: columns, rows: rows)
        let style = Terminal(colour: Terminal.standardOutput.colour, columns: columns)
        if let report {
            let now = report.aged(by: .milliseconds((gone?.at ?? ControlConnection.now()) - reportedAt))
            let picture = now.picture(
                user: user, for: style, only: name.map { [WrittenName($0).name] } ?? [], gone: gone?.since)
            // A low terminal is for the children.
            frame.head =
                rows < Self.lowRows ? [picture.head.first, picture.head.last].compactMap(\.self) : picture.head
            frame.body = picture.body
        }
        frame.offset = offset
        frame.settle()
        offset = frame.offset
        frame.footer = footer(frame, style)
        Output.write(frame.drawing)
    }

    private func footer(_ frame: ScreenFrame, _ terminal: Terminal) -> String {
        if let gone {
            let words = "nexusd is gone since \(gone.since); waiting for it · q quits"
            return terminal.styled(words, .red)
        }
        guard frame.isCut else { return terminal.styled("q quits", .dim) }
        let last = min(frame.offset + frame.bodyRows, frame.body.count)
        return terminal.styled(
            "q quits · lines \(frame.offset + 1)–\(last) of \(frame.body.count) · ↑ ↓ PgUp PgDn", .dim)
    }

    /// Time of day, UTC like all times of Nexus.
    private static var clock: String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return String(WallTime(nanosecondsSince1970: Int64(now.tv_sec) * 1_000_000_000).rfc3339.dropFirst(11).prefix(8))
            + "Z"
    }

    // MARK: - Into a file or a pipe

    /// One table after the other, each with a blank line behind it; ends with nexusd.
    private func printEach() throws(ControlError) {
        guard let feed else { return }
        let arrivals = try Arrivals(readsKeys: false)
        var printed = ""
        while true {
            try feed.askIfDue()
            if let report = try feed.take() {
                let text = try StatusCommand.text(report, from: feed.connection, name: name, for: .plain)
                // Times pass by themselves; a table is printed when something else changed.
                if report.substance != printed { Output.write(text + "\n") }
                printed = report.substance
            }
            switch arrivals.wait(for: feed.connection.descriptor, milliseconds: feed.due - ControlConnection.now()) {
            case .end: return
            case .keys, .resized, .other, .timeout: continue
            }
        }
    }
}
