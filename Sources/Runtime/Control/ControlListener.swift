import SupervisorCore
import System

/// The listening control socket. It is never polled hot: when there is no descriptor for a connection it is left alone
/// for a while.
final class ControlListener {
    /// Connections that may wait to be accepted.
    static let backlog: Int32 = 64
    /// After EMFILE or ENFILE nobody is let in for this long.
    static let pause: Duration = .milliseconds(100)

    private let socket: OwnedFD
    private let path: String
    /// When it is listened to again.
    private(set) var resumeAt: Instant?

    /// Binds the socket, 0660. One that is left over from an earlier nexusd goes: the instance lock says that it is dead.
    init(_ kernel: any Kernel, path: String) throws(Errno) {
        self.path = path
        // Renamed into place when it listens: whoever finds the name can connect.
        let fresh = path + ".new"
        do { try kernel.removeFile(fresh) } catch { if error != .noEntry { throw error } }
        socket = try kernel.makeSocket(.unix, .stream)
        try kernel.bind(socket, to: .path(fresh))
        try kernel.changeMode(fresh, to: 0o660)
        try kernel.listen(socket, backlog: Self.backlog)
        try kernel.rename(fresh, to: path)
    }

    func open(_ poller: borrowing Poller) { try? poller.add(socket, token: EventSource.listener.token) }

    /// The next connection; nil when there is none, or when there is no descriptor for it.
    func accept(_ kernel: any Kernel, _ poller: borrowing Poller, at now: Instant) -> OwnedFD? {
        do {
            return try kernel.accept(socket)
        } catch {
            if error == .tooManyOpen || error == .tooManyOpenInSystem {
                poller.remove(socket)
                resumeAt = now + Self.pause
            }
            return nil
        }
    }

    func resume(_ poller: borrowing Poller, at now: Instant) {
        guard let due = resumeAt, due <= now else { return }
        resumeAt = nil
        open(poller)
    }

    func close(_ poller: borrowing Poller, _ kernel: any Kernel) {
        poller.remove(socket)
        try? kernel.removeFile(path)
    }
}
