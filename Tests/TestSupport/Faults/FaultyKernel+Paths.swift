public import System

// Each call is described at its requirement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension FaultyKernel {
    public func open(_ path: String, _ flags: OpenFlags, mode: UInt16) throws(Errno) -> OwnedFD {
        try pass(.open)
        return try base.open(path, flags, mode: mode)
    }

    public func open(_ path: String, in directory: borrowing OwnedFD, _ flags: OpenFlags, mode: UInt16) throws(Errno)
        -> OwnedFD
    {
        try pass(.openIn)
        return try base.open(path, in: directory, flags, mode: mode)
    }

    public func makeDirectory(_ path: String, mode: UInt16) throws(Errno) {
        try pass(.makeDirectory)
        try base.makeDirectory(path, mode: mode)
    }

    public func removeDirectory(_ path: String) throws(Errno) {
        try pass(.removeDirectory)
        try base.removeDirectory(path)
    }

    public func removeFile(_ path: String) throws(Errno) {
        try pass(.removeFile)
        try base.removeFile(path)
    }

    public func rename(_ old: String, to new: String) throws(Errno) {
        try pass(.rename)
        try base.rename(old, to: new)
    }

    public func changeOwner(_ path: String, user: UInt32, group: UInt32) throws(Errno) {
        try pass(.changeOwner)
        try base.changeOwner(path, user: user, group: group)
    }

    public func changeMode(_ path: String, to mode: UInt16) throws(Errno) {
        try pass(.changeMode)
        try base.changeMode(path, to: mode)
    }

    public func status(_ path: String, followingLinks: Bool) throws(Errno) -> FileStatus {
        try pass(.status)
        return try base.status(path, followingLinks: followingLinks)
    }

    public func list(_ path: String) throws(Errno) -> [String] {
        try pass(.list)
        return try base.list(path)
    }

    public func readLink(_ path: String) throws(Errno) -> String {
        try pass(.readLink)
        return try base.readLink(path)
    }

    public func attribute(_ name: String, of path: String) throws(Errno) -> String {
        try pass(.attribute)
        return try base.attribute(name, of: path)
    }
}
