import ControlClient
import Glibc

/// Standard output and standard error, unbuffered: text appears when it is written, in that order.
enum Output {
    /// Writes to standard output. A reader that is gone ends the program by SIGPIPE, as it should.
    static func write(_ text: String) { write(Array(text.utf8), to: STDOUT_FILENO) }

    /// The same for bytes that are text already.
    static func write(_ bytes: [UInt8]) { write(bytes, to: STDOUT_FILENO) }

    /// Writes a line to standard error.
    static func complain(_ text: String) { write(Array((text + "\n").utf8), to: STDERR_FILENO) }

    /// Writes an error to standard error, on a terminal without cutting a word in two.
    static func complain(_ error: ControlError) {
        let terminal = Terminal.standardError
        let lines = error.text.split(separator: "\n", omittingEmptySubsequences: false)
        complain(lines.map { terminal.folded(String($0), indent: ControlError.indent) }.joined(separator: "\n"))
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done)
            }
            if count < 0, errno == EINTR { continue }
            // Nothing can be said about an output that takes nothing.
            if count <= 0 { return }
            done += count
        }
    }
}
