import Glibc

/// What lies in a directory of root's that is given to a child, with the directory: as systemd gives all that lies below
/// StateDirectory= to root, once the directory itself was somebody else's (systemd.exec(5)). The child could do nothing with a
/// directory alone.
///
/// Only what is root's, in directories that are root's, of the same mount; no file that has another name elsewhere. No link is
/// followed. What stays as it is keeps nothing else from being given.
struct Belongings {
    let owner: UInt32
    let group: UInt32
    /// What root's has stayed root's, and why; nil: nothing.
    private(set) var remark: String?
    private var rest = Belongings.limit
    private var mount: [UInt8] = []

    /// Files and directories together: some seconds on a slow disk.
    static let limit = 500_000
    /// Directories in one another; each takes two descriptors.
    static let depthLimit = 64

    init(owner: UInt32, group: UInt32) {
        self.owner = owner
        self.group = group
    }

    /// Before the directory itself is given: who is cut off goes on at the next start.
    mutating func give(in directory: Int32, _ path: String) {
        mount = Self.mount(of: directory)
        give(in: directory, path, depth: 1)
    }

    private mutating func give(in directory: Int32, _ path: String, depth: Int) {
        guard depth <= Self.depthLimit else { return leave(path, "lies too deep") }
        // A descriptor of O_PATH lists nothing.
        let readable = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard readable >= 0, let stream = fdopendir(readable) else { return leave(path, words()) }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            // Names are bytes, whatever they spell.
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) } + [0]
            let name = String(decoding: bytes.dropLast(), as: UTF8.self)
            if name == "." || name == ".." { continue }
            guard rest > 0 else { return leave(path, "has too many others beside it") }
            rest -= 1
            let file = bytes.withUnsafeBytes {
                openat(
                    directory, $0.baseAddress!.assumingMemoryBound(to: CChar.self),
                    PlanStore.pathOnly | O_NOFOLLOW | O_CLOEXEC)
            }
            guard file >= 0 else {
                if errno != ENOENT { leave(path + "/" + name, words()) }
                continue
            }
            defer { close(file) }
            give(entry: file, path + "/" + name, depth: depth)
        }
    }

    private mutating func give(entry file: Int32, _ path: String, depth: Int) {
        var status = stat()
        guard fstat(file, &status) == 0 else { return leave(path, words()) }
        guard status.st_uid == 0 else { return }
        guard Self.mount(of: file) == mount else { return leave(path, "is another mount") }
        if status.st_mode & S_IFMT == S_IFDIR {
            give(in: file, path, depth: depth + 1)
        } else if status.st_nlink > 1 {
            return leave(path, "has a second name")
        }
        do throws(PlanStore.Failure) { try PlanStore.give(file, to: owner, group, path) } catch { leave(path, words()) }
    }

    /// The first is told.
    private mutating func leave(_ path: String, _ why: String) {
        guard remark == nil else { return }
        remark =
            "'\(path)' stays root's, for it \(why); if it is to be its child's: chown -h \(owner):\(group) '\(path)'"
    }

    private func words() -> String { "cannot be given (\(String(cString: strerror(errno))))" }

    /// proc_pid_fdinfo(5): `mnt_id:` and a number. Its device would not do: a file of overlayfs has that of its layer, and one that
    /// is mounted from elsewhere on the same file system the same.
    private static func mount(of file: Int32) -> [UInt8] {
        let about = open("/proc/self/fdinfo/\(file)", O_RDONLY | O_CLOEXEC)
        guard about >= 0 else { return [] }
        defer { close(about) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(about, &bytes, bytes.count)
        let lines = bytes.prefix(max(count, 0)).split(separator: UInt8(ascii: "\n"))
        return lines.first { $0.starts(with: "mnt_id:".utf8) }.map(Array.init) ?? []
    }
}
