import SupervisorCore
import System
import Wire

/// nexusd's stderr, which it shares with whoever started it: O_NONBLOCK is never set on it, and it is never waited for.
/// What cannot be written at once is left out and counted.
final class StandardError {
    /// Longest line, so that a write fits into one slot of a pipe that has room.
    static let lineLimit = 4000

    private let kernel: any Kernel
    private let fd: OwnedFD
    private let way: Way
    /// `<N>` before each line: what journald takes as the priority.
    private let withPriority: Bool
    /// It leads to journald, which log-writer tells the same.
    var isJournal: Bool { withPriority }
    /// A person may sit in front of it.
    let isTerminal: Bool
    private var leftOut = 0

    private enum Way {
        /// A regular file: it does not block for long.
        case direct
        /// A stream to journald.
        case socket
        /// A pipe or a terminal: asked for room first.
        case asking(Inquiry)
    }

    /// An epoll set that holds stderr alone.
    private final class Inquiry {
        private let poller: Poller

        init(_ kernel: any Kernel, _ fd: borrowing OwnedFD) throws(Errno) {
            poller = try Poller(kernel, capacity: 1)
            try poller.add(fd, token: 1, for: .writable)
        }

        var hasRoom: Bool {
            do { try poller.wait(atMost: .zero) } catch { return false }
            return poller.batch.count > 0 && poller.batch[0].events.contains(.writable)
        }
    }

    /// Takes the descriptor; `journalStream` is `$JOURNAL_STREAM`, `device:inode` of journald's end (systemd.exec(5)).
    init(_ kernel: any Kernel, _ fd: consuming OwnedFD, _ journalStream: String?) {
        self.kernel = kernel
        let status = try? kernel.status(fd)
        withPriority = journalStream != nil && status.map { "\($0.device):\($0.inode)" } == journalStream
        isTerminal = kernel.isTerminal(fd)
        way =
            switch status?.kind {
            case .regular, nil: .direct
            case .socket: .socket
            // epoll refuses what is always ready, /dev/null for one.
            case .pipe, .other, .directory, .symbolicLink: (try? Inquiry(kernel, fd)).map(Way.asking) ?? .direct
            }
        self.fd = fd
    }

    func write(_ event: LogEvent) {
        if leftOut > 0, put("\(leftOut) lines were left out here: nobody read them in time.", priority: 4) {
            leftOut = 0
        }
        if !put(event.message, priority: event.priority) { leftOut += 1 }
    }

    private func put(_ sentence: String, priority: UInt8) -> Bool {
        // One line: a newline in a child's status text must not look like a line of its own.
        let text = (withPriority ? "<\(priority)>" : "nexusd: ") + sentence
        var line = text.utf8.prefix(Self.lineLimit).map { $0 < 0x20 ? UInt8(ascii: " ") : $0 }
        line.append(UInt8(ascii: "\n"))
        return line.withUnsafeBytes(write)
    }

    private func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        do {
            switch way {
            case .direct: return try kernel.write(fd, bytes) == bytes.count
            case .socket: return try kernel.send(fd, bytes, passing: [], to: nil) == bytes.count
            case .asking(let inquiry): return try inquiry.hasRoom && kernel.write(fd, bytes) == bytes.count
            }
        } catch {
            return false
        }
    }
}
