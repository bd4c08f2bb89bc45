import CNexus
import System

/// A directory of a test's own, removed with everything in it.
public final class TemporaryDirectory: Sendable {
    /// Absolute path, short enough for sockets below it.
    public let path: String

    /// Below /tmp, mode 0700.
    public init() {
        var template = Array("/tmp/nexus-test-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, let made = mkdtemp(base) else { return "/nonexistent" }
            return String(cString: made)
        }
    }

    deinit { remove() }

    /// What ends without its deinit, as a process does, says so.
    public func remove() { Self.remove(path, LiveKernel()) }

    private static func remove(_ path: String, _ kernel: LiveKernel) {
        try? kernel.changeMode(path, to: 0o700)
        for name in (try? kernel.list(path)) ?? [] {
            let below = path + "/" + name
            if (try? kernel.status(below, followingLinks: false))?.kind == .directory {
                remove(below, kernel)
            } else {
                try? kernel.removeFile(below)
            }
        }
        try? kernel.removeDirectory(path)
    }
}
