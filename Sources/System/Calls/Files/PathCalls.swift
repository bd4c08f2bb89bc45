import CNexus
import Glibc

/// Calls that name a file by its path. A path with a NUL inside is refused as EINVAL: the kernel would see its start.
public protocol PathCalls {
    /// openat(2) with AT_FDCWD; O_CLOEXEC always.
    func open(_ path: String, _ flags: OpenFlags, mode: UInt16) throws(Errno) -> OwnedFD
    /// openat(2) below an open directory.
    func open(_ path: String, in directory: borrowing OwnedFD, _ flags: OpenFlags, mode: UInt16) throws(Errno)
        -> OwnedFD
    /// mkdir(2).
    func makeDirectory(_ path: String, mode: UInt16) throws(Errno)
    /// rmdir(2).
    func removeDirectory(_ path: String) throws(Errno)
    /// unlink(2).
    func removeFile(_ path: String) throws(Errno)
    /// rename(2): replaces what is there.
    func rename(_ old: String, to new: String) throws(Errno)
    /// lchown(2): a link itself, never what it points to.
    func changeOwner(_ path: String, user: UInt32, group: UInt32) throws(Errno)
    /// chmod(2). Follows links: use it only in directories that are ours.
    func changeMode(_ path: String, to mode: UInt16) throws(Errno)
    /// stat(2), or lstat(2) with `followingLinks` false.
    func status(_ path: String, followingLinks: Bool) throws(Errno) -> FileStatus
    /// readdir(3): every name but `.` and `..`, in the kernel's order.
    func list(_ path: String) throws(Errno) -> [String]
    /// readlink(2); bytes that are not UTF-8 are replaced.
    func readLink(_ path: String) throws(Errno) -> String
    /// getxattr(2): at most 256 bytes, as text.
    func attribute(_ name: String, of path: String) throws(Errno) -> String
}

// Each call is described at its requirement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension LiveKernel {
    public func open(_ path: String, _ flags: OpenFlags, mode: UInt16) throws(Errno) -> OwnedFD {
        try refuseNUL(path)
        return OwnedFD(owning: try openRetrying(nexus_at_cwd(), path, flags, mode))
    }

    public func open(
        _ path: String, in directory: borrowing OwnedFD, _ flags: OpenFlags, mode: UInt16
    ) throws(Errno) -> OwnedFD {
        try refuseNUL(path)
        return OwnedFD(owning: try openRetrying(directory.raw, path, flags, mode))
    }

    public func makeDirectory(_ path: String, mode: UInt16) throws(Errno) {
        try refuseNUL(path)
        _ = try retrying { mkdir(path, mode_t(mode)) }
    }

    public func removeDirectory(_ path: String) throws(Errno) {
        try refuseNUL(path)
        _ = try retrying { rmdir(path) }
    }

    public func removeFile(_ path: String) throws(Errno) {
        try refuseNUL(path)
        _ = try retrying { unlink(path) }
    }

    public func rename(_ old: String, to new: String) throws(Errno) {
        try refuseNUL(old)
        try refuseNUL(new)
        _ = try retrying { Glibc.rename(old, new) }
    }

    public func changeOwner(_ path: String, user: UInt32, group: UInt32) throws(Errno) {
        try refuseNUL(path)
        _ = try retrying { lchown(path, user, group) }
    }

    public func changeMode(_ path: String, to mode: UInt16) throws(Errno) {
        try refuseNUL(path)
        _ = try retrying { chmod(path, mode_t(mode)) }
    }

    public func status(_ path: String, followingLinks: Bool) throws(Errno) -> FileStatus {
        try refuseNUL(path)
        var status = stat()
        _ = try retrying { followingLinks ? stat(path, &status) : lstat(path, &status) }
        return FileStatus(status)
    }

    public func list(_ path: String) throws(Errno) -> [String] {
        try refuseNUL(path)
        guard let directory = opendir(path) else { throw Errno.current }
        defer { closedir(directory) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(directory) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        if errno != 0 { throw Errno.current }
        return names
    }

    public func readLink(_ path: String) throws(Errno) -> String {
        try refuseNUL(path)
        return try text(capacity: Int(PATH_MAX)) { readlink(path, $0, $1) }
    }

    public func attribute(_ name: String, of path: String) throws(Errno) -> String {
        try refuseNUL(path)
        return try text(capacity: 256) { getxattr(path, name, $0, $1) }
    }

    private func text(
        capacity: Int, _ call: (UnsafeMutablePointer<CChar>, Int) -> Int
    ) throws(Errno) -> String {
        var bytes = [CChar](repeating: 0, count: capacity)
        let count = try retrying { call(&bytes, capacity) }
        return String(decoding: bytes[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private func refuseNUL(_ path: String) throws(Errno) {
        if path.utf8.contains(0) { throw .invalid }
    }

    private func openRetrying(
        _ directory: Int32, _ path: String, _ flags: OpenFlags, _ mode: UInt16
    ) throws(Errno) -> Int32 {
        while true {
            let result = nexus_openat(directory, path, flags.rawValue, UInt32(mode))
            if result != -EINTR { return try checked(result) }
        }
    }
}
