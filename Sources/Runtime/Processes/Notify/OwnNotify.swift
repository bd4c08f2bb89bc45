public import SupervisorCore
public import System

/// What nexusd tells the one who supervises it: datagrams to $NOTIFY_SOCKET (sd_notify(3)), never waiting. The protocol
/// is stable and one sendmsg long, so it is written here and not linked.
public final class OwnNotify {
    private let kernel: any Kernel
    private let socket: OwnedFD
    private let address: SocketAddress

    /// One line of a message.
    public enum Word: Hashable, Sendable {
        /// READY=1.
        case ready
        /// RELOADING=1, with the time that systemd wants beside it; READY=1 is to follow.
        case reloading(Instant)
        /// STOPPING=1.
        case stopping
        /// STATUS=, one line.
        case status(String)
        /// WATCHDOG=1.
        case watchdog
        /// EXTEND_TIMEOUT_USEC=.
        case extendTimeout(Duration)

        var line: String {
            switch self {
            case .ready: "READY=1"
            case .reloading(let now): "RELOADING=1\nMONOTONIC_USEC=\(now.nanoseconds / 1000)"
            case .stopping: "STOPPING=1"
            case .status(let text): "STATUS=" + text.split(whereSeparator: \.isNewline).joined(separator: " ")
            case .watchdog: "WATCHDOG=1"
            case .extendTimeout(let time): "EXTEND_TIMEOUT_USEC=\(max(0, time.nanoseconds / 1000))"
            }
        }
    }

    /// `variable` is the value of NOTIFY_SOCKET; nil when there is none or it is no address: then nobody listens.
    public init?(_ kernel: any Kernel, variable: String?) {
        guard let variable, let address = SocketAddress(notifySocket: variable),
            let socket = try? kernel.makeSocket(.unix, .datagram)
        else { return nil }
        self.kernel = kernel
        self.socket = socket
        self.address = address
    }

    /// Sends these words as one message. False when it could not be sent; it is not repeated, for the next status or
    /// watchdog message says more than a late one.
    @discardableResult
    public func send(_ words: Word...) -> Bool {
        let message = Array(words.map(\.line).joined(separator: "\n").utf8)
        let sent = message.withUnsafeBufferPointer { bytes in
            try? kernel.send(socket, UnsafeRawBufferPointer(bytes), passing: [], to: address)
        }
        return sent == message.count
    }

    /// Half of WATCHDOG_USEC, the interval sd_watchdog_enabled(3) recommends; nil when no watchdog waits for this
    /// process.
    public static func watchdogInterval(microseconds: String?, process: String?, own: ProcessID) -> Duration? {
        guard let microseconds = microseconds.flatMap({ Int64($0) }), microseconds > 0 else { return nil }
        if let process, Int32(process) != own.rawValue { return nil }
        return .microseconds(microseconds / 2)
    }
}
