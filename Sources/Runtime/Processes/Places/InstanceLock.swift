import SupervisorCore
public import System

/// One nexusd a runtime directory. The lock is the truth; the pid in the file is for the words of the one refused.
public final class InstanceLock {
    private let kernel: any Kernel
    private let fd: OwnedFD

    /// Why there is no lock.
    public enum Refusal: Error, Hashable, Sendable {
        /// Another one holds it; its pid, when the file says one.
        case held(by: ProcessID?)
        /// The file cannot be used.
        case failed(Errno)
    }

    /// Takes the lock and writes the own pid. It lasts as long as this object, and goes with the process.
    public init(_ kernel: any Kernel, path: String) throws(Refusal) {
        self.kernel = kernel
        fd = try Self.take(kernel, path)
    }

    /// One that this process has already.
    init(_ kernel: any Kernel, taking fd: consuming OwnedFD) {
        self.kernel = kernel
        self.fd = fd
    }

    var descriptor: Int32 { fd.raw }

    /// For a holder that was killed to be gone: one with a thousand children and their pipes takes some milliseconds, and who
    /// starts the next one at once is not to be told that there are two.
    static let patience: Duration = .seconds(2)
    /// Between two tries where nobody's end can be waited for.
    private static let pause: Duration = .milliseconds(20)

    private static func take(_ kernel: any Kernel, _ path: String) throws(Refusal) -> OwnedFD {
        let end = kernel.monotonic() + patience
        while true {
            let holder: [UInt8]
            do throws(Errno) {
                // Its owner's alone: who may read a file may lock it (flock(2)), and so keep the next nexusd from starting.
                let fd = try kernel.openRegular(path, [.readWrite, .create, .noFollow, .nonBlocking], mode: 0o600)
                if try kernel.status(fd).mode & 0o077 != 0 { try kernel.changeMode(fd, to: 0o600) }
                if try kernel.lock(fd) {
                    // One that is refused may take its file away just when it was opened here: then there is another to lock.
                    guard try kernel.status(fd).links > 0 else {
                        guard kernel.monotonic() < end else { throw Errno.again }
                        continue
                    }
                    try kernel.truncate(fd, to: 0)
                    try kernel.writeAll(fd, Array("\(kernel.processID())\n".utf8))
                    return fd
                }
                holder = (try? kernel.readAll(fd, limit: 32)) ?? []
            } catch {
                throw .failed(error)
            }
            let process = decimal(holder.prefix { $0 != UInt8(ascii: "\n") })
                .map { ProcessID(rawValue: Int32(truncatingIfNeeded: $0)) }
            guard let process, ending(process, kernel), kernel.monotonic() < end else { throw .held(by: process) }
            awaitEnd(of: process, until: end, kernel)
        }
    }

    /// Whether it is gone, or on its way: it has SIGKILL or is in exit(2). proc_pid_stat(5), field 9, PF_EXITING;
    /// proc_pid_status(5), SigPnd.
    private static func ending(_ process: ProcessID, _ kernel: any Kernel) -> Bool {
        guard let stat = try? kernel.readFile("/proc/\(process)/stat", limit: 4096),
            let close = stat.lastIndex(of: UInt8(ascii: ")"))
        else { return true }
        let fields = stat[close...].split(separator: UInt8(ascii: " "))
        guard fields.count > 7 else { return true }
        if fields[1].first == UInt8(ascii: "Z") || fields[1].first == UInt8(ascii: "X") { return true }
        if decimal(fields[7]).map({ $0 & 4 != 0 }) ?? false { return true }
        let status = String(
            decoding: (try? kernel.readFile("/proc/\(process)/status", limit: 8192)) ?? [], as: UTF8.self)
        return status.split(separator: "\n").contains { line in
            guard line.hasPrefix("SigPnd:") || line.hasPrefix("ShdPnd:") else { return false }
            let digits = line.drop { $0 != "\t" }.dropFirst()
            return UInt64(digits, radix: 16).map { $0 & 1 << 8 != 0 } ?? false
        }
    }

    private static func awaitEnd(of process: ProcessID, until end: Instant, _ kernel: any Kernel) {
        guard let poller = try? Poller(kernel) else { return }
        do {
            let pidfd = try kernel.openProcess(process)
            try poller.add(pidfd, token: 0)
            try poller.wait(atMost: min(end - kernel.monotonic(), .milliseconds(100)))
        } catch {
            // It is gone, and something that it started has not closed the lock yet.
            try? poller.wait(atMost: pause)
        }
    }
}
