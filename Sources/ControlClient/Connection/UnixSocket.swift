import Glibc

/// The client's end of a stream socket in the file system. Every system call of this library on it is in this file;
/// all restart on EINTR.
struct UnixSocket: ~Copyable {
    /// The number, for poll(2).
    let descriptor: Int32
    /// What ends each wait when it can be read; nil: nothing does.
    private let interrupt: Int32?

    /// Connects; the words say what to do for each way in which that fails.
    init(connectingTo path: String, interrupt: Int32? = nil) throws(ControlError) {
        self.interrupt = interrupt
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let limit = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < limit else {
            throw ControlError(
                .usage, "the path of the control socket is longer than \(limit - 1) bytes: \(path)",
                hint: "give a shorter --runtime DIR, to nexusd as well")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw ControlError(.failed, "no socket: \(Self.words(errno))") }
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let error = errno
            close(number)
            throw Self.failure(error, path: path)
        }
        descriptor = number
    }

    deinit { close(descriptor) }

    /// Bytes read, 0 at the end; waits for them until `deadline` (milliseconds of `milliseconds()`), nil: for ever.
    /// Returns nil when the deadline passed first.
    func read(into buffer: UnsafeMutableRawBufferPointer, until deadline: Int64?) throws(ControlError) -> Int? {
        while true {
            // With no deadline the read itself waits: one system call less in the commonest case.
            if deadline != nil || interrupt != nil {
                guard try isReadable(until: deadline) else { return nil }
            }
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            if errno == ECONNRESET { return 0 }
            if errno != EINTR { throw ControlError(.failed, "reading from nexusd: \(Self.words(errno))") }
        }
    }

    /// False when the deadline passed first.
    private func isReadable(until deadline: Int64?) throws(ControlError) -> Bool {
        // poll(2) passes over a negative number.
        var entries = [descriptor, interrupt ?? -1].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while true {
            let left = deadline.map { Int32(clamping: max($0 - Self.milliseconds(), 0)) } ?? -1
            let count = poll(&entries, 2, left)
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw ControlError(.failed, "poll: \(Self.words(errno))") }
            if entries[1].revents != 0 { throw ControlError(.interrupted, "interrupted") }
            return count > 0
        }
    }

    /// Writes everything; false when the other side reads no more. SIGPIPE is not raised.
    func write(_ bytes: [UInt8]) throws(ControlError) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                send(descriptor, buffer.baseAddress.map { $0 + sent }, buffer.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EPIPE || errno == ECONNRESET { return false }
                throw ControlError(.failed, "writing to nexusd: \(Self.words(errno))")
            }
            sent += count
        }
        return true
    }

    /// SO_PEERCRED: who listens. Glibc's module hides `struct ucred`; it is pid, uid and gid (unix(7)).
    var peerUid: UInt32? {
        var credentials: (pid: Int32, uid: UInt32, gid: UInt32) = (0, 0, 0)
        var size = socklen_t(MemoryLayout.size(ofValue: credentials))
        let result = getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size)
        return result == 0 && size == MemoryLayout.size(ofValue: credentials) ? credentials.uid : nil
    }

    /// CLOCK_MONOTONIC in milliseconds.
    static func milliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Who may, and how one becomes such a one.
    private static func owner(of path: String) -> String {
        var status = stat()
        guard stat(path, &status) == 0 else { return "the user who runs the supervisor, or as root" }
        let owner = status.st_uid == 0 ? "root (sudo)" : Accounts.name(of: status.st_uid) ?? "uid \(status.st_uid)"
        let isOpen = status.st_mode & S_IWGRP != 0 && status.st_gid != 0
        guard isOpen, let group = Accounts.groupName(of: status.st_gid) else { return owner }
        let user = Accounts.name(of: geteuid()) ?? "USER"
        return "\(owner), or as one of the group '\(group)': usermod -aG \(group) \(user), as root, and log in anew"
    }

    /// The package, or scripts/install, put the unit there.
    private static var isInstalled: Bool {
        let places = ["/usr/lib/systemd/system", "/lib/systemd/system", "/etc/systemd/system"]
        return places.contains { access($0 + "/nexus.service", F_OK) == 0 }
    }

    private static func words(_ error: Int32) -> String { String(cString: strerror(error)) }

    private static func failure(_ error: Int32, path: String) -> ControlError {
        if [ENOENT, ECONNREFUSED].contains(error), let known = AbsentNexusd(socket: path)?.failure { return known }
        return switch error {
        case ENOENT where isInstalled && !path.hasPrefix("/run/nexus/"):
            ControlError(
                .notRunning,
                "no supervisor is running: the machine's own has no socket in /run/nexus, and there is none at \(path)",
                hint: "systemctl start nexus; one of your own: --runtime DIR says where it is")
        case ENOENT, ENOTDIR:
            ControlError(
                .notRunning, "no supervisor is running: there is no control socket at \(path)",
                hint:
                    "start it (scripts/run, or: systemctl start nexus), or say where it is: --runtime DIR; one that does not come up: "
                    + "journalctl -u nexus")
        case ECONNREFUSED:
            ControlError(
                .notRunning, "no supervisor is running: nobody listens at \(path)",
                hint: "it ended without removing its socket; start it again")
        case EACCES, EPERM:
            ControlError(
                .refused, "\(Accounts.name(of: geteuid()) ?? "this user") may not open \(path)",
                hint: "ask as \(owner(of: path))")
        case _:
            ControlError(.failed, "cannot connect to \(path): \(words(error))")
        }
    }
}
