public import Plan
public import System

/// The private directory of one run's secret files: $CREDENTIALS_DIRECTORY, 0500, the files 0400, all of it the child's.
public struct CredentialFiles: Hashable, Sendable {
    /// The value of CREDENTIALS_DIRECTORY.
    public let path: String
    private let names: [String]

    /// Makes the directory anew below `directory` and fills it. On an error nothing is left.
    public init(
        _ kernel: any Kernel, directory: String, child: String, files: [File], owner: Identity?
    ) throws(Errno) {
        path = directory + "/" + child
        names = files.map(\.name)
        do {
            try Self.clear(path, kernel)
            try kernel.makeDirectory(path, mode: 0o700)
            for file in files { try Self.write(file, below: path, owner, kernel) }
            try kernel.changeMode(path, to: 0o500)
            if let owner { try kernel.changeOwner(path, user: owner.uid, group: owner.gid) }
        } catch {
            remove(kernel)
            throw error
        }
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

    /// Removes files and directory; to be called when the run is over.
    public func remove(_ kernel: any Kernel) { try? Self.clear(path, kernel) }

    /// The directory may be the child's by now: nothing in it is followed or trusted, and names are taken as they are.
    private static func clear(_ path: String, _ kernel: any Kernel) throws(Errno) {
        let status: FileStatus
        do { status = try kernel.status(path, followingLinks: false) } catch  where error == .noEntry { return }
        guard status.kind == .directory else { return try kernel.removeFile(path) }
        // Without CAP_DAC_OVERRIDE even root needs to own what it changes.
        if status.user != kernel.userID() {
            try kernel.changeOwner(path, user: kernel.userID(), group: kernel.groupID())
        }
        try kernel.changeMode(path, to: 0o700)
        for name in try kernel.list(path) { try kernel.removeFile(path + "/" + name) }
        try kernel.removeDirectory(path)
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
