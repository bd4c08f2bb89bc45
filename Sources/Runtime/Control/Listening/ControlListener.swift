import Plan
import SupervisorCore
import System

/// The listening control socket. It is never polled hot: when there is no descriptor or no memory for a connection it is left
/// alone for a while.
final class ControlListener {
    /// Connections that may wait to be accepted.
    static let backlog: Int32 = 64
    /// After an accept that failed nobody is let in for this long.
    static let pause: Duration = .milliseconds(100)

    /// Nobody can send descriptors to those who were accepted here.
    let refusesDescriptors: Bool
    private let socket: OwnedFD
    private let path: String
    /// When it is listened to again.
    private(set) var resumeAt: Instant?

    /// Binds the socket. One that is left over from an earlier nexusd goes: the instance lock says that it is dead.
    init(_ kernel: any Kernel, path: String, _ supervisor: SupervisorPlan) throws(Errno) {
        self.path = path
        // Renamed into place when it listens: whoever finds the name can connect.
        let fresh = path + ".new"
        do { try kernel.removeFile(fresh) } catch { if error != .noEntry { throw error } }
        socket = try kernel.makeSocket(.unix, .stream)
        do {
            try kernel.refuseDescriptors(socket)
            refusesDescriptors = true
        } catch {
            refusesDescriptors = false
        }
        try kernel.bind(socket, to: .path(fresh))
        try Self.admit(supervisor, to: fresh, kernel)
        try kernel.listen(socket, backlog: Self.backlog)
        try kernel.rename(fresh, to: path)
    }

    /// One on which this process listens already: who waits in its queue goes on waiting.
    init(path: String, taking socket: consuming OwnedFD, refusesDescriptors: Bool) {
        self.path = path
        self.socket = socket
        self.refusesDescriptors = refusesDescriptors
    }

    var descriptor: Int32 { socket.raw }

    /// Nobody is let in until `open`: who comes waits in the queue.
    func shut(_ poller: borrowing Poller) {
        if resumeAt == nil { poller.remove(socket) }
        resumeAt = nil
    }

    /// Other lists: the socket's owner and mode follow them. On an error it is as before.
    func admit(_ new: SupervisorPlan, instead old: SupervisorPlan, _ kernel: any Kernel) throws(Errno) {
        guard new != old else { return }
        do throws(Errno) { try Self.admit(new, to: path, kernel) } catch {
            try? Self.admit(old, to: path, kernel)
            throw error
        }
    }

    /// 0660; a single group that may use it owns it, else nexusd's own. One file has no mode for several groups or for a list of uids: then
    /// everybody may connect, and is judged and refused by nexusd as anyway.
    private static func admit(_ supervisor: SupervisorPlan, to path: String, _ kernel: any Kernel) throws(Errno) {
        let groups = Set(supervisor.readGids + supervisor.controlGids)
        guard groups.count <= 1, supervisor.readUids.isEmpty, supervisor.controlUids.isEmpty else {
            return try kernel.changeMode(path, to: 0o666)
        }
        // Also where there is none: an earlier plan, or one that came to nothing half-way, may have had one.
        try kernel.changeOwner(path, user: kernel.userID(), group: groups.first ?? kernel.groupID())
        try kernel.changeMode(path, to: 0o660)
    }

    func open(_ poller: borrowing Poller) { try? poller.add(socket, token: EventSource.listener.token) }

    /// The next connection; nil when there is none, or when it cannot be had now.
    func accept(_ kernel: any Kernel, _ poller: borrowing Poller, at now: Instant) -> OwnedFD? {
        do {
            return try kernel.accept(socket)
        } catch {
            // Whatever it is, the connection stays in the queue, and the socket would wake the loop without end.
            if error != .again { rest(poller, at: now) }
            return nil
        }
    }

    /// Lets nobody in for a while.
    func rest(_ poller: borrowing Poller, at now: Instant) {
        poller.remove(socket)
        resumeAt = now + Self.pause
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
