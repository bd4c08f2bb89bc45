import Glibc
import System

/// A small file system that can be full and empty again: a tmpfs of a test's own, gone with this object.
public final class SmallDisk {
    /// Where it is mounted.
    public let path: String
    private let home = TemporaryDirectory()
    private let kernel = LiveKernel()
    private var ballast: String { path + "/ballast" }

    /// Whether this process may mount one; for `.enabled(if:)`, so that a test without it is skipped and not green.
    public static let isPossible = (try? SmallDisk()) != nil

    /// Mounts it.
    /// - Parameter mebibytes: its size. A store's log alone may take one.
    public init(mebibytes: Int = 1) throws(Errno) {
        path = home.path + "/disk"
        try kernel.makeDirectory(path, mode: 0o755)
        guard mount("nexus-test", path, "tmpfs", 0, "size=\(mebibytes)m") == 0 else { throw Errno.current }
    }

    /// MNT_DETACH: whoever still has a file open keeps it.
    deinit { umount2(path, 2) }

    /// Until nothing fits any more.
    public func fill() throws(Errno) {
        let file = try kernel.open(ballast, [.writeOnly, .create], mode: 0o600)
        do {
            while true { try kernel.writeAll(file, [UInt8](repeating: 0, count: 4096)) }
        } catch {
            guard error == .noSpace else { throw error }
        }
    }

    /// Room for so many bytes more, of what `fill` took.
    public func give(_ bytes: Int64) throws(Errno) {
        let file = try kernel.open(ballast, [.writeOnly], mode: 0)
        try kernel.truncate(file, to: max(0, try kernel.status(file).size - bytes))
    }

    /// What `fill` wrote goes.
    public func empty() throws(Errno) { try kernel.removeFile(ballast) }
}
