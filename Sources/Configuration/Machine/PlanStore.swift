import Glibc

/// What `nexus-config plan` changes on disk, once a file is accepted: the directories that children need, and the plan
/// kept as `last-good`.
public struct PlanStore: Sendable {
    private let state: String

    /// The state directory.
    public init(state: String) { self.state = state }

    /// Why something on disk could not be made.
    public struct Failure: Error, CustomStringConvertible {
        /// What and why, with the path.
        public let description: String
        /// Others could have written it: it is not used, and nothing is put in its place.
        var isDistrust = false

        init(_ what: String, _ path: String) {
            let problem = errno
            let remedy =
                switch problem {
                case ENOTDIR, ELOOP, EISDIR: "; something else is in its place: move it away"
                case ENOSPC, EDQUOT: "; make room on that file system"
                case EACCES, EPERM: "; give it to the user that nexusd runs as"
                case EROFS: "; mount that file system writable, or choose another place with --state"
                case _: ""
                }
            description = "cannot \(what) '\(path)': \(String(cString: strerror(problem)))\(remedy)"
        }

        init(words: String) { description = words }

        init(distrust words: String, _ path: String) {
            description = "'\(path)': \(words)"
            isDistrust = true
        }
    }

    /// Makes the directories, parents first; each ends up with its owner and mode (but for one that the caller gave).
    /// - Returns: what lies in them and is not as it should be, a sentence each.
    @discardableResult
    public func make(_ directories: [NeededDirectory]) throws(Failure) -> [String] {
        if let first = directories.first { try makeParents(of: first.path) }
        var remarks: [String] = []
        for directory in directories {
            if let remark = try make(directory) { remarks.append(remark) }
        }
        return remarks
    }

    /// Keeps the plan. Only its owner may read it: it holds what environment files held.
    public func keep(_ plan: [UInt8]) throws(Failure) { try replace("last-good", with: plan) }

    /// A file in the state directory, for its owner only: one beside it, then rename(2), so that a crash leaves the old or
    /// the new one.
    func replace(_ name: String, with content: [UInt8]) throws(Failure) {
        let path = state + "/" + name
        let fresh = path + ".new"
        unlink(fresh)
        let file = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure("make", fresh) }
        defer { close(file) }
        var rest = content[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure("write", fresh) }
            rest = rest.dropFirst(count)
        }
        guard fsync(file) == 0 else { throw Failure("write", fresh) }
        guard rename(fresh, path) == 0 else { throw Failure("replace", path) }
        try settle()
    }

    /// Moves a file of the state directory out of the way; what was there under that name is replaced.
    func setAside(_ name: String, as other: String) throws(Failure) {
        guard rename(state + "/" + name, state + "/" + other) == 0 else { throw Failure("move", state + "/" + name) }
        try settle()
    }

    /// The content of a file in the state directory; nil when there is none. It decides what runs, so nobody else may have
    /// written it.
    func content(_ name: String, limit: Int) throws(Failure) -> [UInt8]? {
        let host = LiveMachine()
        let (status, bytes): (FileStatus, [UInt8])
        do {
            (status, bytes) = try host.read(state + "/" + name, limit: limit)
        } catch {
            switch error {
            case .missing: return nil
            case .notRegular(let what): throw Failure(words: "'\(state)/\(name)' is \(what), not a file: move it away")
            case .tooLarge(let bytes):
                throw Failure(words: "'\(state)/\(name)' has \(bytes) bytes, at most \(limit): move it away")
            case .failed(let why): throw Failure(words: "cannot read '\(state)/\(name)': \(why)")
            }
        }
        if let words = SourceText.distrust(status, host) { throw Failure(distrust: words, state + "/" + name) }
        return bytes
    }

    /// A rename lasts only when its directory is written.
    private func settle() throws(Failure) {
        let directory = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw Failure("open", state) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw Failure("write", state) }
    }

    private func makeParents(of path: String) throws(Failure) {
        var parent = ""
        for name in path.split(separator: "/").dropLast() {
            parent += "/" + name
            // As the XDG base directory specification has it for what is missing; root's places are for everybody.
            if mkdir(parent, geteuid() == 0 ? 0o755 : 0o700) != 0, errno != EEXIST { throw Failure("make", parent) }
        }
    }

    private func make(_ directory: NeededDirectory) throws(Failure) -> String? {
        if isThere(directory) { return nil }
        let isNew = mkdir(directory.path, 0o700) == 0
        if !isNew, errno != EEXIST { throw Failure("make", directory.path) }
        // O_NOFOLLOW: what a child may have put there instead is not followed. O_PATH: a root without CAP_DAC_OVERRIDE, as
        // the unit has it, cannot open what is a child's alone.
        let file = open(directory.path, Self.pathOnly | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else {
            // The given directory may well be a link.
            if directory.isGiven, errno == ENOTDIR || errno == ELOOP, isDirectory(directory.path) { return nil }
            throw Failure("use", directory.path)
        }
        defer { close(file) }
        if directory.isGiven, !isNew { return nil }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw Failure("look at", directory.path) }
        let isOwners = status.st_uid == directory.owner && status.st_gid == directory.group
        let isRight = status.st_mode & 0o7777 == directory.mode
        if isOwners && isRight { return nil }
        if status.st_uid != directory.owner, geteuid() != 0 {
            throw Failure(
                words:
                    "'\(directory.path)' belongs to uid \(status.st_uid), not to \(directory.owner): remove or chown it"
            )
        }
        var belongings = Belongings(owner: directory.owner, group: directory.group)
        if geteuid() == 0, status.st_uid == 0, directory.owner != 0, !isNew, !directory.isGiven {
            belongings.give(in: file, directory.path)
        }
        // Without CAP_FOWNER a mode is changed by the owner only, so root takes it for a moment.
        if geteuid() == 0 { try Self.give(file, to: 0, 0, directory.path) }
        guard chmod("/proc/self/fd/\(file)", directory.mode) == 0 else { throw Failure("chmod", directory.path) }
        if geteuid() == 0 { try Self.give(file, to: directory.owner, directory.group, directory.path) }
        return belongings.remark
    }

    /// As it has to be, so that there is nothing to do: one look, since a reload has one for each child.
    private func isThere(_ directory: NeededDirectory) -> Bool {
        var status = stat()
        return lstat(directory.path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
            && status.st_mode & 0o7777 == directory.mode
            && status.st_uid == directory.owner && status.st_gid == directory.group
    }

    /// O_PATH and AT_EMPTY_PATH of open(2) and fchownat(2), the same on every machine; Glibc's module leaves out what is
    /// Linux's own.
    static let pathOnly: Int32 = 0o10_000_000
    private static let emptyPath: Int32 = 0x1000

    static func give(_ file: Int32, to owner: UInt32, _ group: UInt32, _ path: String) throws(Failure) {
        // fchown(2) takes no descriptor of O_PATH.
        guard fchownat(file, "", owner, group, emptyPath) == 0 else { throw Failure("chown", path) }
    }

    private func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
