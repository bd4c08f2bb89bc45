import ControlClient
import Glibc
import Synchronization
import System
import Wire

/// Standard output and standard error, unbuffered: text appears when it is written, in that order.
enum Output {
    /// The errno for which standard output did not take all that was written; 0: it did.
    private static let refusal = Atomic<Int32>(0)

    /// Nothing more can be shown there.
    static var isRefused: Bool { refusal.load(ordering: .relaxed) != 0 }

    /// The exit status of a command that came to this one: nobody may take an output that is not whole for a whole one.
    static func judged(_ status: Int32) -> Int32 {
        let error = refusal.load(ordering: .relaxed)
        guard error != 0 else { return status }
        complain(ControlError(.failed, "cannot write to standard output: \(String(cString: strerror(error)))"))
        return status == 0 ? ControlError(.failed, "").exitStatus : status
    }

    /// Writes to standard output. A reader that is gone ends the program by SIGPIPE, as it should.
    static func write(_ text: String) { write(Array(text.utf8), to: STDOUT_FILENO) }

    /// The same for bytes that are text already.
    static func write(_ bytes: [UInt8]) { write(bytes, to: STDOUT_FILENO) }

    /// A line of JSON that a worker wrote, and may have quoted an agent in: nothing of it acts on a terminal.
    static func write(json line: [UInt8]) {
        write(ControlText.json(String(decoding: line, as: UTF8.self)) + "\n")
    }

    /// Ends the program as a write would when the reader of standard output is gone: for those who follow, who may have
    /// nothing to write for ever. The thread sleeps in poll(2) until then; without one the next write finds out.
    static func endWithReader() {
        try? NativeThread.start("reader-gone") {
            // No event is asked for: POLLERR and POLLHUP are told of always.
            var entry = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
            while poll(&entry, 1, -1) < 0, errno == EINTR {}
            guard entry.revents & Int16(POLLERR | POLLHUP) != 0 else { return }
            kill(getpid(), SIGPIPE)
            // Whoever started us may have had SIGPIPE ignored.
            _exit(0)
        }
    }

    /// Writes lines to standard output, on a terminal without cutting a word in two.
    /// - Parameter indent: of what follows the first row of a line.
    static func tell(_ text: String, indent: Int = 0) {
        write(folded(text, Terminal.standardOutput, indent) + "\n")
    }

    /// Writes a line to standard error.
    static func complain(_ text: String) { write(Array((text + "\n").utf8), to: STDERR_FILENO) }

    /// The same, on a terminal without cutting a word in two.
    static func complain(folded text: String) { complain(folded(text, Terminal.standardError, 0)) }

    /// Writes an error to standard error, on a terminal without cutting a word in two.
    static func complain(_ error: ControlError) {
        complain(folded(error.text, Terminal.standardError, ControlError.indent))
    }

    private static func folded(_ text: String, _ terminal: Terminal, _ indent: Int) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { terminal.folded(String($0), indent: indent) }.joined(separator: "\n")
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                // A reader that is gone wanted no more, and nothing can be said about an error output that takes nothing.
                if count < 0, errno != EPIPE, descriptor == STDOUT_FILENO { refusal.store(errno, ordering: .relaxed) }
                return
            }
            done += count
        }
    }
}
