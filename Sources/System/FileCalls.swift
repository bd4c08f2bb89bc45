import CNexus
import Glibc

/// Calls on open files, pipes and directories.
public protocol FileCalls {
    /// read(2): bytes read, 0 at the end.
    func read(_ fd: borrowing OwnedFD, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int
    /// write(2): bytes written, perhaps fewer than asked.
    func write(_ fd: borrowing OwnedFD, _ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int
}

extension LiveKernel {
    public func read(_ fd: borrowing OwnedFD, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        while true {
            let count = Glibc.read(fd.raw, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            if Errno.current != .interrupted { throw Errno.current }
        }
    }

    public func write(_ fd: borrowing OwnedFD, _ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
        while true {
            let count = Glibc.write(fd.raw, bytes.baseAddress, bytes.count)
            if count >= 0 { return count }
            if Errno.current != .interrupted { throw Errno.current }
        }
    }
}
