public import System

/// A PID file: output for people and scripts, never read to decide anything. Lives in nexusd's own directory.
public struct PIDFile: Hashable, Sendable {
    /// Where.
    public let path: String
    private let content: [UInt8]

    /// Writes it by renaming a new file into place, so that a link put there is replaced and not followed.
    public init(_ kernel: any Kernel, path: String, process: ProcessID) throws(Errno) {
        self.path = path
        content = Array("\(process)\n".utf8)
        try kernel.replaceFile(path, with: content, mode: 0o644)
    }

    /// Removes it if it still says what was written; another's file stays.
    public func remove(_ kernel: any Kernel) {
        do {
            let fd = try kernel.open(path, [.readOnly, .noFollow, .nonBlocking], mode: 0)
            guard try kernel.readAll(fd, limit: 32) == content else { return }
            try kernel.removeFile(path)
        } catch {
            // Gone already, or not ours: nothing to do about output.
        }
    }
}
