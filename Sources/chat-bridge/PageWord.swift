import ChatWeb
import Synchronization
import WorkerKit

/// Says how the page is: in the status line, and in the log when it goes and when it is back.
final class PageWord: Sendable {
    private let status: StatusLine
    private let isAway = Mutex(false)
    private let (words, word) = AsyncStream.makeStream(of: Never.self)

    init(_ status: StatusLine) { self.status = status }

    func hear(_ state: WebServer.State) {
        status.tell(state)
        let wasAway = isAway.withLock { isAway in
            defer { if case .away = state { isAway = true } else { isAway = false } }
            return isAway
        }
        switch state {
        case .starting: return
        case .serving(_, let place): if wasAway { Log.notice("the page is served again, at \(place)") }
        case .away(let why): Log.warning("no page: \(why)")
        }
        word.finish()
    }

    /// Returns once it is known whether it is served. Never long: an address is free or it is not.
    func first() async { for await _ in words {} }
}
