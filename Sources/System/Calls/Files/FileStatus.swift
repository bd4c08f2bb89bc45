import CNexus

/// What stat(2) tells, as far as we ask.
public struct FileStatus: Hashable, Sendable {
    /// Kinds of files we tell apart.
    public enum Kind: Hashable, Sendable {
        case regular, directory, symbolicLink, socket, pipe, other
    }
    /// What it is.
    public let kind: Kind
    /// Permission bits, 0 to 0o7777.
    public let mode: UInt16
    /// Owner.
    public let user: UInt32
    /// Group.
    public let group: UInt32
    /// Names it has; of a directory: 2 and one for each directory in it.
    public let links: Int
    /// Bytes.
    public let size: Int64
    /// Device and inode together name a file as long as somebody holds it.
    public let device: UInt64
    /// Inode number.
    public let inode: UInt64
    /// Last change of the content, CLOCK_REALTIME in nanoseconds.
    public let modified: Int64

    init(_ status: stat) {
        switch Int32(status.st_mode) & S_IFMT {
        case S_IFREG: kind = .regular
        case S_IFDIR: kind = .directory
        case S_IFLNK: kind = .symbolicLink
        case S_IFSOCK: kind = .socket
        case S_IFIFO: kind = .pipe
        case _: kind = .other
        }
        mode = UInt16(status.st_mode & 0o7777)
        user = status.st_uid
        group = status.st_gid
        links = Int(status.st_nlink)
        size = Int64(status.st_size)
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }
}

/// open(2) flags; O_CLOEXEC is always set.
public struct OpenFlags: OptionSet, Hashable, Sendable {
    /// O_* bits.
    public let rawValue: Int32

    /// Wraps O_* bits.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// O_RDONLY.
    public static let readOnly = OpenFlags([])
    /// O_WRONLY.
    public static let writeOnly = OpenFlags(rawValue: O_WRONLY)
    /// O_RDWR.
    public static let readWrite = OpenFlags(rawValue: O_RDWR)
    /// O_CREAT.
    public static let create = OpenFlags(rawValue: O_CREAT)
    /// O_EXCL: with `create`, the file must not be there, not even as a link.
    public static let exclusive = OpenFlags(rawValue: O_EXCL)
    /// O_TRUNC.
    public static let truncate = OpenFlags(rawValue: O_TRUNC)
    /// O_APPEND.
    public static let append = OpenFlags(rawValue: O_APPEND)
    /// O_NOFOLLOW: ELOOP when the last component is a link.
    public static let noFollow = OpenFlags(rawValue: O_NOFOLLOW)
    /// O_DIRECTORY.
    public static let directory = OpenFlags(rawValue: O_DIRECTORY)
    /// O_NONBLOCK.
    public static let nonBlocking = OpenFlags(rawValue: O_NONBLOCK)
    /// O_PATH: only names the file.
    public static let path = OpenFlags(rawValue: O_PATH)
}
