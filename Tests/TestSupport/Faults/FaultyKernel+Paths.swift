public import System

// Each call is described at its requirement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension FaultyKernel {
    public func open(_ path: String, _ flags: OpenFlags, mode: UInt16) throws(Errno) -> OwnedFD {
        try pass(.open, at: path, reads: !flags.contains(.writeOnly) && !flags.contains(.readWrite))
        return try base.open(path, flags, mode: mode)
    }

    public func open(_ path: String, in directory: borrowing OwnedFD, _ flags: OpenFlags, mode: UInt16) throws(Errno)
        -> OwnedFD
    {
        try pass(.openIn, at: path, reads: !flags.contains(.writeOnly) && !flags.contains(.readWrite))
        return try base.open(path, in: directory, flags, mode: mode)
    }

    public func makeDirectory(_ path: String, mode: UInt16) throws(Errno) {
        try pass(.makeDirectory, at: path)
        try base.makeDirectory(path, mode: mode)
    }

    public func removeDirectory(_ path: String) throws(Errno) {
        try pass(.removeDirectory, at: path)
        try base.removeDirectory(path)
    }

    public func removeFile(_ path: String) throws(Errno) {
        try pass(.removeFile, at: path)
        try base.removeFile(path)
    }

    public func rename(_ old: String, to new: String) throws(Errno) {
        try pass(.rename)
        try base.rename(old, to: new)
    }

    public func changeOwner(_ path: String, user: UInt32, group: UInt32) throws(Errno) {
        try pass(.changeOwner, at: path)
        try base.changeOwner(path, user: user, group: group)
    }

    public func changeMode(_ path: String, to mode: UInt16) throws(Errno) {
        try pass(.changeMode, at: path)
        try base.changeMode(path, to: mode)
    }

    public func status(_ path: String, followingLinks: Bool) throws(Errno) -> FileStatus {
        try pass(.status, at: path)
        return try base.status(path, followingLinks: followingLinks)
    }

    public func list(_ path: String) throws(Errno) -> [String] {
        try pass(.list, at: path)
        return try base.list(path)
    }

    public func readLink(_ path: String) throws(Errno) -> String {
        try pass(.readLink, at: path)
        if let executable, path == "/proc/self/exe" { return executable }
        return try base.readLink(path)
    }

    public func attribute(_ name: String, of path: String) throws(Errno) -> String {
        try pass(.attribute)
        return try base.attribute(name, of: path)
    }
}
