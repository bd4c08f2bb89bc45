import ControlClient
import Glibc

/// Lines from a pipe, a file, or a terminal that cannot be edited on.
struct PlainLines {
    /// Longest line in bytes: what a message may have.
    static let byteLimit = 60_000

    private var pending: [UInt8] = []

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
            if case .interrupt = interrupts.wait(orReadable: [STDIN_FILENO]) { return nil }
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = read(STDIN_FILENO, &bytes, bytes.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                defer { pending = [] }
                return pending.isEmpty ? nil : String(decoding: pending, as: UTF8.self)
            }
            pending += bytes[..<count]
        }
    }
}
