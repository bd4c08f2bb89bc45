public import Plan
public import System

/// The private directory of one run's secret files: $CREDENTIALS_DIRECTORY. The files are the child's, 0400. The directory is
/// nexusd's, of the child's group, 0551: the child can look and read, and add nothing. With nexusd's own uid it can do what it
/// likes there (0500).
public struct CredentialFiles: Hashable, Sendable {
    /// The value of CREDENTIALS_DIRECTORY.
    public let path: String
    private let names: [String]

    /// Makes the directory anew below `directory` and fills it. On an error nothing is left.
    public init(
        _ kernel: any Kernel, _ disposal: Disposal, directory: String, child: String, files: [File], owner: Identity?
    ) throws(Errno) {
        path = directory + "/" + child
        names = files.map(\.name)
        do {
            _ = try Self.clear(path, names, kernel, disposal)
            try kernel.makeDirectory(path, mode: 0o700)
            for file in files { try Self.write(file, below: path, owner, kernel) }
            if let owner, owner.uid != kernel.userID() {
                try kernel.changeOwner(path, user: kernel.userID(), group: owner.gid)
                try kernel.changeMode(path, to: 0o551)
            } else {
                try kernel.changeMode(path, to: 0o500)
            }
        } catch {
            remove(kernel, disposal)
            throw error
        }
    }

    /// Those that an earlier nexusd made for a run that lives.
    init(adopting child: String, directory: String, names: [String]) {
        path = directory + "/" + child
        self.names = names
    }

    /// One secret file.
    public struct File: Hashable, Sendable {
        /// File name: the secret's name.
        public var name: String
        /// Content.
        public var value: String

        /// Both.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// What came of a removal.
    public enum Removal: Hashable, Sendable {
        /// Nothing of it is left.
        case whole
        /// The secrets are gone; what else was there was moved aside, for a thread to remove.
        case movedAside
        /// Something is still there.
        case failed(Errno)
    }

    /// Removes files and directory; to be called when the run is over. A child of nexusd's own uid may have put anything
    /// there, any number of it: that is not the loop's to remove.
    @discardableResult
    public func remove(_ kernel: any Kernel, _ disposal: Disposal) -> Removal {
        do {
            return try Self.clear(path, names, kernel, disposal) ? .whole : .movedAside
        } catch {
            return .failed(error)
        }
    }

    /// What an earlier nexusd left, secrets included, goes before there is a child.
    /// `sparing`: children whose runs are adopted.
    public static func removeLeftovers(
        _ kernel: any Kernel, _ disposal: Disposal, directory: String, sparing: Set<String> = []
    ) {
        guard let names = try? kernel.list(directory), !names.isEmpty else { return }
        for name in names where name != aside && !sparing.contains(name) {
            _ = try? clear(directory + "/" + name, [], kernel, disposal)
        }
        disposal.clear(directory + "/" + aside)
    }

    /// Where things are moved to, in the directory of all; no child has such a name.
    private static let aside = ".removed"
    /// Names tried there.
    private static let triesAside = 64
    /// Above this a file is no secret any more, and to give its pages back takes time.
    private static let quickSize: Int64 = 1 << 20

    /// True when nothing is left.
    private static func clear(
        _ path: String, _ names: [String], _ kernel: any Kernel, _ disposal: Disposal
    ) throws(Errno) -> Bool {
        let status: FileStatus
        do { status = try kernel.status(path, followingLinks: false) } catch  where error == .noEntry { return true }
        guard status.kind == .directory else {
            try kernel.removeFile(path)
            return true
        }
        // Without CAP_DAC_OVERRIDE even root needs to own what it changes.
        if status.user != kernel.userID() {
            try kernel.changeOwner(path, user: kernel.userID(), group: kernel.groupID())
        }
        try kernel.changeMode(path, to: 0o700)
        for name in names { removeFile(path + "/" + name, kernel, disposal) }
        do {
            try kernel.removeDirectory(path)
            return true
        } catch  where error == .notEmpty || error == .exists {
            try moveAside(path, kernel)
            disposal.clear(path[..<(path.lastIndex(of: "/") ?? path.endIndex)] + "/" + aside)
            return false
        }
    }

    /// What cannot be removed by its name is moved aside with the rest.
    private static func removeFile(_ path: String, _ kernel: any Kernel, _ disposal: Disposal) {
        if let status = try? kernel.status(path, followingLinks: false), status.size > quickSize,
            let file = try? kernel.open(path, [.path, .noFollow], mode: 0)
        {
            disposal.close(file)
        }
        try? kernel.removeFile(path)
    }

    private static func moveAside(_ path: String, _ kernel: any Kernel) throws(Errno) {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let target = path[..<slash] + "/" + aside
        do { try kernel.makeDirectory(String(target), mode: 0o700) } catch  where error == .exists {}
        for attempt in 0..<triesAside {
            do {
                return try kernel.rename(path, to: target + path[slash...] + "-\(attempt)")
            } catch  where error == .notEmpty || error == .exists {}
        }
        throw .exists
    }

    private static func write(
        _ file: File, below path: String, _ owner: Identity?, _ kernel: any Kernel
    ) throws(Errno) {
        let flags: OpenFlags = [.writeOnly, .create, .exclusive, .noFollow]
        let fd = try kernel.open(path + "/" + file.name, flags, mode: 0o400)
        try kernel.writeAll(fd, Array(file.value.utf8))
        try kernel.changeMode(fd, to: 0o400)
        if let owner { try kernel.changeOwner(fd, user: owner.uid, group: owner.gid) }
    }
}
