import ControlClient
import Glibc

/// Lines from a pipe, a file, or a terminal that cannot be edited on.
struct PlainLines {
    /// Longest line in bytes: what a message may have.
    static let byteLimit = MessageText.byteLimit

    private var pending: [UInt8] = []
    private let input = Self.input()

    /// Ctrl-C throws away the line that could be read a moment before, and a read that waits for another would not hear of it. A
    /// terminal is opened once more for that: what is set on standard input itself is set for the shell too. Open until the end.
    private static func input() -> Int32 {
        guard isatty(STDIN_FILENO) == 1 else { return STDIN_FILENO }
        let own = open("/proc/self/fd/\(STDIN_FILENO)", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        return own < 0 ? STDIN_FILENO : own
    }

    /// A line without its newline; nil at the end, or when Ctrl-C came first.
    mutating func next(_ interrupts: borrowing Interrupts) throws(ControlError) -> String? {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                defer { pending.removeSubrange(...end) }
                return String(decoding: pending[..<end], as: UTF8.self)
            }
            guard pending.count <= Self.byteLimit else {
                throw ControlError(.usage, "a line is longer than \(Self.byteLimit) bytes")
            }
            if case .interrupt = interrupts.wait(orReadable: [input]) { return nil }
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = read(input, &bytes, bytes.count)
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else {
                defer { pending = [] }
                return pending.isEmpty ? nil : String(decoding: pending, as: UTF8.self)
            }
            pending += bytes[..<count]
        }
    }
}
