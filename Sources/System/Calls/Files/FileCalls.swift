import CNexus
import Glibc

/// Calls on open files.
public protocol FileCalls {
    /// read(2): bytes read, 0 at the end.
    func read(_ fd: borrowing OwnedFD, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int
    /// pread(2): bytes read from this offset, 0 at the end.
    func read(_ fd: borrowing OwnedFD, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(Errno)
        -> Int
    /// write(2): bytes written, perhaps fewer than asked.
    func write(_ fd: borrowing OwnedFD, _ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int
    /// writev(2): bytes written, perhaps fewer than asked; at most 1,024 parts.
    func write(_ fd: borrowing OwnedFD, gathering parts: UnsafeBufferPointer<iovec>) throws(Errno) -> Int
    /// fstat(2).
    func status(_ fd: borrowing OwnedFD) throws(Errno) -> FileStatus
    /// fchown(2).
    func changeOwner(_ fd: borrowing OwnedFD, user: UInt32, group: UInt32) throws(Errno)
    /// fchmod(2).
    func changeMode(_ fd: borrowing OwnedFD, to mode: UInt16) throws(Errno)
    /// ftruncate(2).
    func truncate(_ fd: borrowing OwnedFD, to length: Int64) throws(Errno)
    /// lseek(2) to an offset from the start (`end` false) or from the end; the new offset from the start.
    func seek(_ fd: borrowing OwnedFD, to offset: Int64, fromEnd: Bool) throws(Errno) -> Int64
    /// flock(2), exclusive, never waiting: false when somebody else holds the lock.
    func lock(_ fd: borrowing OwnedFD) throws(Errno) -> Bool
    /// fdatasync(2): blocks until the disk has it.
    func synchronize(_ fd: borrowing OwnedFD) throws(Errno)
    /// O_NONBLOCK of the open file description, which others may share.
    func setNonBlocking(_ fd: borrowing OwnedFD, _ on: Bool) throws(Errno)
    /// F_DUPFD_CLOEXEC.
    func duplicate(_ fd: borrowing OwnedFD) throws(Errno) -> OwnedFD
    /// isatty(3); false as well where that cannot be told.
    func isTerminal(_ fd: borrowing OwnedFD) -> Bool
}

// Each call is described at its requirement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension LiveKernel {
    public func read(_ fd: borrowing OwnedFD, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        let raw = fd.raw
        return try retrying { Glibc.read(raw, buffer.baseAddress, buffer.count) }
    }

    public func read(
        _ fd: borrowing OwnedFD, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int {
        let raw = fd.raw
        return try retrying { pread(raw, buffer.baseAddress, buffer.count, Int(offset)) }
    }

    public func write(_ fd: borrowing OwnedFD, _ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
        let raw = fd.raw
        return try retrying { Glibc.write(raw, bytes.baseAddress, bytes.count) }
    }

    public func write(_ fd: borrowing OwnedFD, gathering parts: UnsafeBufferPointer<iovec>) throws(Errno) -> Int {
        let raw = fd.raw
        return try retrying { writev(raw, parts.baseAddress, Int32(parts.count)) }
    }

    public func status(_ fd: borrowing OwnedFD) throws(Errno) -> FileStatus {
        var status = stat()
        let raw = fd.raw
        _ = try retrying { fstat(raw, &status) }
        return FileStatus(status)
    }

    public func changeOwner(_ fd: borrowing OwnedFD, user: UInt32, group: UInt32) throws(Errno) {
        let raw = fd.raw
        _ = try retrying { fchown(raw, user, group) }
    }

    public func changeMode(_ fd: borrowing OwnedFD, to mode: UInt16) throws(Errno) {
        let raw = fd.raw
        _ = try retrying { fchmod(raw, mode_t(mode)) }
    }

    public func isTerminal(_ fd: borrowing OwnedFD) -> Bool { isatty(fd.raw) == 1 }

    public func truncate(_ fd: borrowing OwnedFD, to length: Int64) throws(Errno) {
        let raw = fd.raw
        _ = try retrying { ftruncate(raw, Int(length)) }
    }

    public func seek(_ fd: borrowing OwnedFD, to offset: Int64, fromEnd: Bool) throws(Errno) -> Int64 {
        let raw = fd.raw
        return Int64(try retrying { lseek(raw, Int(offset), fromEnd ? SEEK_END : SEEK_SET) })
    }

    public func lock(_ fd: borrowing OwnedFD) throws(Errno) -> Bool {
        let raw = fd.raw
        do {
            _ = try retrying { flock(raw, LOCK_EX | LOCK_NB) }
            return true
        } catch  where error == .again {
            return false
        }
    }

    public func synchronize(_ fd: borrowing OwnedFD) throws(Errno) {
        let raw = fd.raw
        _ = try retrying { fdatasync(raw) }
    }

    public func setNonBlocking(_ fd: borrowing OwnedFD, _ on: Bool) throws(Errno) {
        let flags = try checked(nexus_fcntl(fd.raw, F_GETFL, 0))
        _ = try checked(nexus_fcntl(fd.raw, F_SETFL, Int(on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK)))
    }

    public func duplicate(_ fd: borrowing OwnedFD) throws(Errno) -> OwnedFD {
        try owned(nexus_fcntl(fd.raw, F_DUPFD_CLOEXEC, 0))
    }
}
