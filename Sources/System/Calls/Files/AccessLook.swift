import CNexus
import Glibc

/// Whether another user may do something with a file or a directory, asked of the kernel as that user (faccessat(2) in a process
/// of its own): never reckoned with mode bits, which know neither lists (acl(5)) nor mounts.
public struct AccessLook: Hashable, Sendable {
    /// What somebody may want.
    public struct Right: OptionSet, Hashable, Sendable {
        /// R_OK, W_OK, X_OK of access(2).
        public let rawValue: Int32

        /// Wraps bits of access(2).
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// To enter a directory, or to execute a file.
        public static let enter = Right(rawValue: 1)
        /// To write.
        public static let write = Right(rawValue: 2)
        /// To read.
        public static let read = Right(rawValue: 4)
    }

    /// An open directory (O_PATH is enough), from which `name` is looked up.
    public var directory: Int32
    /// A name in it; `.` is the directory itself, whatever lies above it.
    public var name: String
    /// All of these.
    public var right: Right

    /// All of it.
    public init(directory: Int32, name: String = ".", right: Right) {
        self.directory = directory
        self.name = name
        self.right = right
    }

    /// The answers, in order; nil: it may.
    /// - Parameter user: nil: the caller.
    public static func ask(_ looks: [AccessLook], as user: SpawnIdentity?) throws(Errno) -> [Errno?] {
        let names = looks.map { strdup($0.name) }
        defer { for name in names { free(name) } }
        var questions = zip(looks, names).map {
            nexus_access(directory: $0.directory, name: $1, mode: $0.right.rawValue, error: 0)
        }
        let groups = user?.groups ?? []
        _ = try checked(
            nexus_access_as(
                user == nil ? 0 : 1, user?.user ?? 0, user?.group ?? 0, groups, groups.count, &questions,
                questions.count))
        return questions.map { $0.error == 0 ? nil : Errno(rawValue: $0.error) }
    }
}
