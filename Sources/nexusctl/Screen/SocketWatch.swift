import ControlClient
import Glibc

/// Tells when nexusd's control socket may have appeared: inotify(7) on the runtime directory, or on the nearest directory
/// above it that exists. To be made before the attempt to connect, so that nothing happens unseen in between.
struct SocketWatch: ~Copyable {
    /// Can be read when something changed; -1 where inotify cannot be had.
    let descriptor: Int32
    /// Without inotify it is looked at this often.
    static let blindPauseMilliseconds: Int64 = 100

    init(_ place: Locations) {
        descriptor = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        let events = UInt32(IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)
        var path = place.runtime
        while descriptor >= 0, inotify_add_watch(descriptor, path, events) < 0, path != "/" {
            path = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
            if path.isEmpty { path = "/" }
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Waits for a change, at most until the deadline (milliseconds of `ControlConnection.now()`).
    func wait(until deadline: Int64) {
        var left = max(0, deadline - ControlConnection.now())
        if descriptor < 0 { left = min(left, Self.blindPauseMilliseconds) }
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&entry, 1, Int32(clamping: left))
    }
}
