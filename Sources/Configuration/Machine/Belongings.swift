import Glibc

/// What lies in a directory of root's that is given to a child, with the directory: as systemd gives all that lies below
/// StateDirectory= to root, once the directory itself was somebody else's (systemd.exec(5)). The child could do nothing with a
/// directory alone.
///
/// Only what is root's, in directories that are root's, on the same file system; no file that has another name
/// elsewhere. Nothing is followed, and nobody but root can put anything in the way.
struct Belongings {
    let owner: UInt32
    let group: UInt32
    private var left = Belongings.limit
    private var device: dev_t = 0

    /// Files and directories together: some seconds on a slow disk.
    static let limit = 500_000
    /// Directories in one another; each takes a descriptor.
    static let depthLimit = 64

    init(owner: UInt32, group: UInt32) {
        self.owner = owner
        self.group = group
    }

    /// Before the directory itself is given: who is cut off goes on at the next start.
    mutating func give(in directory: Int32, _ path: String) throws(PlanStore.Failure) {
        var status = stat()
        guard fstat(directory, &status) == 0 else { throw PlanStore.Failure("look at", path) }
        device = status.st_dev
        try give(in: directory, path, depth: 1)
    }

    private mutating func give(in directory: Int32, _ path: String, depth: Int) throws(PlanStore.Failure) {
        guard depth <= Self.depthLimit else { throw tooMuch(path) }
        // A descriptor of O_PATH lists nothing.
        let readable = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard readable >= 0, let stream = fdopendir(readable) else { throw PlanStore.Failure("list", path) }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            // Names are bytes, whatever they spell.
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) } + [0]
            let name = String(decoding: bytes.dropLast(), as: UTF8.self)
            if name == "." || name == ".." { continue }
            guard left > 0 else { throw tooMuch(path) }
            left -= 1
            let file = bytes.withUnsafeBytes {
                openat(
                    directory, $0.baseAddress!.assumingMemoryBound(to: CChar.self),
                    PlanStore.pathOnly | O_NOFOLLOW | O_CLOEXEC)
            }
            guard file >= 0 else {
                if errno == ENOENT { continue }
                throw PlanStore.Failure("use", path + "/" + name)
            }
            defer { close(file) }
            try give(entry: file, path + "/" + name, depth: depth)
        }
    }

    private mutating func give(entry file: Int32, _ own: String, depth: Int) throws(PlanStore.Failure) {
        var status = stat()
        guard fstat(file, &status) == 0 else { throw PlanStore.Failure("look at", own) }
        guard status.st_uid == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            // A file tells nothing of where it lies: overlayfs shows another number for each layer.
            guard status.st_dev == device else { return }
            try give(in: file, own, depth: depth + 1)
        } else if status.st_nlink > 1 {
            return
        }
        try PlanStore.give(file, to: owner, group, own)
    }

    private func tooMuch(_ path: String) -> PlanStore.Failure {
        PlanStore.Failure(
            words:
                "there is too much in '\(path)' to give it to uid \(owner) at a start: chown -R \(owner):\(group) '\(path)'"
        )
    }
}
