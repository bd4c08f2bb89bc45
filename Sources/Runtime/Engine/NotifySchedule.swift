import SupervisorCore
import System

/// When nexusd says what to whoever supervises it. Without a NOTIFY_SOCKET every call does nothing.
struct NotifySchedule {
    /// Until `READY=1` is sent at the latest, however the tree is doing: a parked child must not make systemd end the
    /// supervisor.
    static let readyLimit: Duration = .seconds(10)

    private let notify: OwnNotify?
    private var status = StatusThrottle()
    private var saidReady = false
    private var saidStopping = false
    private let pingInterval: Duration?
    private var nextPing: Instant?
    private var extendedUntil = Instant(nanoseconds: .min)

    init(_ kernel: any Kernel, at now: Instant, variable: (String) -> String?) {
        notify = OwnNotify(kernel, variable: variable("NOTIFY_SOCKET"))
        let interval = OwnNotify.watchdogInterval(
            microseconds: variable("WATCHDOG_USEC"), process: variable("WATCHDOG_PID"), own: kernel.processID())
        pingInterval = notify == nil ? nil : interval
        nextPing = pingInterval == nil ? nil : now
    }

    /// The next instant at which `beat` has something to do.
    var deadline: Instant? {
        guard let ping = nextPing, let text = status.deadline else { return nextPing ?? status.deadline }
        return min(ping, text)
    }

    /// Sends what is due: the watchdog's ping, and a status that had to wait.
    mutating func beat(at now: Instant) {
        guard let notify else { return }
        if let pingInterval, let due = nextPing, now >= due {
            notify.send(.watchdog)
            nextPing = now + pingInterval
        }
        if let text = status.take(at: now) { notify.send(.status(text)) }
    }

    /// `READY=1`, once.
    mutating func ready() {
        guard !saidReady else { return }
        saidReady = true
        notify?.send(.ready)
    }

    /// `RELOADING=1`: another program takes over, which says `READY=1` when it has; or this one does when that failed. Before
    /// the first `READY=1` there is nothing to take back.
    mutating func reloading(at now: Instant) {
        guard saidReady else { return }
        saidReady = false
        notify?.send(.reloading(now))
    }

    /// The one line that `systemctl status` shows.
    mutating func say(_ text: String) { if notify != nil { status.set(text) } }

    /// `STOPPING=1`, once.
    mutating func stopping() {
        guard !saidStopping else { return }
        saidStopping = true
        notify?.send(.stopping)
    }

    /// Asks systemd to wait until `deadline` and some more, unless it was asked for as much already.
    mutating func extend(until deadline: Instant, at now: Instant) {
        guard let notify, deadline > extendedUntil, deadline > now else { return }
        extendedUntil = deadline
        notify.send(.extendTimeout(deadline - now + .seconds(5)))
    }
}
