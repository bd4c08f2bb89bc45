import CNexus
import Glibc

/// Both ends of a pipe.
@frozen
public struct Pipe: ~Copyable, Sendable {
    /// Where bytes come out.
    public var read: OwnedFD
    /// Where bytes go in.
    public var write: OwnedFD

    /// Both.
    public init(read: consuming OwnedFD, write: consuming OwnedFD) {
        self.read = read
        self.write = write
    }
}

/// Ends of a pipe or socket pair.
public struct Ends: OptionSet, Hashable, Sendable {
    /// Bit 0: first or reading end; bit 1: second or writing end.
    public let rawValue: UInt8

    /// Wraps the bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The reading end of a pipe, the first of a pair.
    public static let read = Ends(rawValue: 1)
    /// The writing end of a pipe, the second of a pair.
    public static let write = Ends(rawValue: 2)
    /// The first of a pair.
    public static let first = Ends(rawValue: 1)
    /// The second of a pair.
    public static let second = Ends(rawValue: 2)
}

/// Calls on pipes.
public protocol PipeCalls {
    /// pipe2(2): close-on-exec and non-blocking, but for the ends named in `blocking` (a child expects those).
    func makePipe(blocking: Ends) throws(Errno) -> Pipe
    /// F_GETPIPE_SZ, bytes.
    func pipeSize(_ pipe: borrowing OwnedFD) throws(Errno) -> Int
    /// F_SETPIPE_SZ; the size that was granted. EPERM above /proc/sys/fs/pipe-max-size.
    func setPipeSize(_ pipe: borrowing OwnedFD, to bytes: Int) throws(Errno) -> Int
    /// FIONREAD: bytes waiting in a pipe or socket.
    func readableBytes(_ fd: borrowing OwnedFD) throws(Errno) -> Int
    /// tee(2) without blocking: bytes copied from pipe to pipe and left in the source; 0 when the writers are gone.
    func tee(_ source: borrowing OwnedFD, to target: borrowing OwnedFD, upTo count: Int) throws(Errno) -> Int
    /// splice(2) without blocking: bytes moved; one of both is a pipe.
    func splice(_ source: borrowing OwnedFD, to target: borrowing OwnedFD, upTo count: Int) throws(Errno) -> Int
}

// Each call is described at its requirement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension LiveKernel {
    public func makePipe(blocking: Ends) throws(Errno) -> Pipe {
        var ends: (Int32, Int32) = (-1, -1)
        let result = withUnsafeMutableBytes(of: &ends) {
            pipe2($0.baseAddress?.assumingMemoryBound(to: Int32.self), O_CLOEXEC | O_NONBLOCK)
        }
        if result < 0 { throw Errno.current }
        let pipe = Pipe(read: OwnedFD(owning: ends.0), write: OwnedFD(owning: ends.1))
        if blocking.contains(.read) { try setNonBlocking(pipe.read, false) }
        if blocking.contains(.write) { try setNonBlocking(pipe.write, false) }
        return pipe
    }

    public func pipeSize(_ pipe: borrowing OwnedFD) throws(Errno) -> Int {
        Int(try checked(nexus_fcntl(pipe.raw, F_GETPIPE_SZ, 0)))
    }

    public func setPipeSize(_ pipe: borrowing OwnedFD, to bytes: Int) throws(Errno) -> Int {
        Int(try checked(nexus_fcntl(pipe.raw, F_SETPIPE_SZ, bytes)))
    }

    public func readableBytes(_ fd: borrowing OwnedFD) throws(Errno) -> Int {
        Int(try checked(nexus_readable_bytes(fd.raw)))
    }

    public func tee(_ source: borrowing OwnedFD, to target: borrowing OwnedFD, upTo count: Int) throws(Errno) -> Int {
        let (from, to) = (source.raw, target.raw)
        return try retrying { CNexus.tee(from, to, count, UInt32(SPLICE_F_NONBLOCK)) }
    }

    public func splice(
        _ source: borrowing OwnedFD, to target: borrowing OwnedFD, upTo count: Int
    ) throws(Errno) -> Int {
        let (from, to) = (source.raw, target.raw)
        return try retrying { CNexus.splice(from, nil, to, nil, count, UInt32(SPLICE_F_NONBLOCK)) }
    }
}
