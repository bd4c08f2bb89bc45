import Foundation
import Glibc

/// What a start finds of a restore: whoever carried it out may not have lived to say on which side of the one rename it ended.
public struct RestoreEnd: Hashable, Sendable, Encodable {
    /// Milliseconds since 1970: when it was under way.
    public var at: Int64
    /// What was there before, when the backup is in place; nil: it was cut off, and nothing was changed.
    public var kept: String?
}

extension StoreFile {
    // Not named like the store: the file of that name goes and comes.
    private var restoring: String { directory + "/restoring" }

    /// Before the rename: as what the present store is kept.
    func markRestore(keptAs path: String) throws {
        unlink(restoring)
        try Self.create(restoring)
        try Self.fill(restoring, with: Array((path as NSString).lastPathComponent.utf8))
        try Self.sync(restoring)
    }

    /// It was told.
    func forgetRestore() { unlink(restoring) }

    /// What became of one. `work`: when its work file was written, which was there until now.
    func restoreEnd(work: Int64?) -> RestoreEnd? {
        if let work { return RestoreEnd(at: work, kept: nil) }
        guard let at = Self.written(restoring), let name = try? String(contentsOfFile: restoring, encoding: .utf8)
        else {
            return nil
        }
        let kept = directory + "/" + (name as NSString).lastPathComponent
        return RestoreEnd(at: at, kept: Self.written(kept) == nil ? nil : kept)
    }

    /// Milliseconds since 1970; nil: there is no such file.
    static func written(_ path: String) -> Int64? {
        var about = stat()
        guard stat(path, &about) == 0 else { return nil }
        return Int64(about.st_mtim.tv_sec) * 1000 + Int64(about.st_mtim.tv_nsec) / 1_000_000
    }
}
