public import Glibc
public import System

// Each call is described at its requirement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension FaultyKernel {
    public func read(_ fd: borrowing OwnedFD, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        try pass(.read, on: fd)
        return try base.read(fd, into: buffer)
    }

    public func read(_ fd: borrowing OwnedFD, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64)
        throws(Errno) -> Int
    {
        try pass(.readAt, on: fd)
        return try base.read(fd, into: buffer, at: offset)
    }

    public func write(_ fd: borrowing OwnedFD, _ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
        try pass(.write, on: fd)
        return try base.write(fd, bytes)
    }

    public func write(_ fd: borrowing OwnedFD, gathering parts: UnsafeBufferPointer<iovec>) throws(Errno) -> Int {
        try pass(.gather, on: fd)
        return try base.write(fd, gathering: parts)
    }

    public func status(_ fd: borrowing OwnedFD) throws(Errno) -> FileStatus {
        try pass(.statusOfFile, on: fd)
        return try base.status(fd)
    }

    public func changeOwner(_ fd: borrowing OwnedFD, user: UInt32, group: UInt32) throws(Errno) {
        try pass(.changeOwnerOfFile)
        try base.changeOwner(fd, user: user, group: group)
    }

    public func changeMode(_ fd: borrowing OwnedFD, to mode: UInt16) throws(Errno) {
        try pass(.changeModeOfFile)
        try base.changeMode(fd, to: mode)
    }

    public func isTerminal(_ fd: borrowing OwnedFD) -> Bool { base.isTerminal(fd) }

    public func truncate(_ fd: borrowing OwnedFD, to length: Int64) throws(Errno) {
        try pass(.truncate)
        try base.truncate(fd, to: length)
    }

    public func seek(_ fd: borrowing OwnedFD, to offset: Int64, fromEnd: Bool) throws(Errno) -> Int64 {
        try pass(.seek)
        return try base.seek(fd, to: offset, fromEnd: fromEnd)
    }

    public func lock(_ fd: borrowing OwnedFD) throws(Errno) -> Bool {
        try pass(.lock)
        return try base.lock(fd)
    }

    public func synchronize(_ fd: borrowing OwnedFD) throws(Errno) {
        try pass(.synchronize)
        try base.synchronize(fd)
    }

    public func setNonBlocking(_ fd: borrowing OwnedFD, _ on: Bool) throws(Errno) {
        try pass(.setNonBlocking)
        try base.setNonBlocking(fd, on)
    }

    public func duplicate(_ fd: borrowing OwnedFD) throws(Errno) -> OwnedFD {
        try pass(.duplicate)
        return try base.duplicate(fd)
    }
}
