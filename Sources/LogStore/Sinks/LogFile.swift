import SupervisorCore
import System

/// The files of one child: `current`, to which entries are appended, and the rotated ones. What is in a file is whole
/// entries only: after a write that failed half-way, or a crash in the middle of one, the torn end is cut off. Its bytes
/// are in the pipe still and come again.
final class LogFile {
    /// Readable for the group whatever the umask: who may read logs is who is in log-writer's group.
    static let mode: UInt16 = 0o640

    private let kernel: any Kernel
    private let directory: String
    /// When it is rotated; a later stream of the child may change it.
    var rotation: Rotation
    private var file: OpenFile?
    private var size: Int64 = 0
    /// By which it is known that `current` is still this file.
    private var inode: UInt64 = 0
    private var nextLook = Instant(nanoseconds: 0)
    /// `current` was removed or renamed, and not by us: the next one begins with a word of it.
    private var wasTakenAway = false
    /// The stamp of the first entry in `current`; nil when it is empty or cannot be read.
    private var oldest: WallStamp?
    /// Rotated files by age, compressed or not.
    private var rotated: [String] = []
    /// A file was rotated since this was set to false.
    var hasRotated = false

    /// Nothing is opened before the first append.
    init(_ kernel: any Kernel, directory: String, rotation: Rotation) {
        self.kernel = kernel
        self.directory = directory
        self.rotation = rotation
    }

    private var path: String { directory + "/" + LogFileName.current }

    /// Appends whole entries from `offset` on, rotating as often as it takes; moves `offset` past what is in the files, also
    /// when it throws, so that the caller can go on from there.
    func append(_ entries: UnsafeRawBufferPointer, from offset: inout Int) throws(Errno) {
        lookWhetherItIsThere()
        while offset < entries.count {
            try open()
            if wasTakenAway { try sayTakenAway() }
            let room = rotation.fileBytes - size
            let rest = UnsafeRawBufferPointer(rebasing: entries[offset...])
            var part = rest
            if Int64(rest.count) > room {
                let fitting = rest.wholeEntries(within: Int(max(0, room)))
                if fitting == 0 && size > 0 {
                    try rotate()
                    continue
                }
                // An entry above the size of a file gets a file of its own.
                part = UnsafeRawBufferPointer(rebasing: rest[..<(fitting > 0 ? fitting : rest.firstEntry)])
            }
            offset += try write(part)
        }
    }

    /// How long lines may go into a file that somebody has removed or renamed, as to make room.
    static let lookPause: Duration = .seconds(1)

    private func lookWhetherItIsThere() {
        guard file != nil else { return }
        let now = kernel.monotonic()
        guard now >= nextLook else { return }
        nextLook = now + LogFile.lookPause
        do throws(Errno) {
            guard try kernel.status(path, followingLinks: false).inode != inode else { return }
        } catch {
            guard error == .noEntry else { return }
        }
        file = nil
        wasTakenAway = true
    }

    private func sayTakenAway() throws(Errno) {
        let entry = EntryFormat.entry(
            WallStamp(nanoseconds: kernel.wallClock()), EntryFormat.noRun, .logWriter, .warning,
            text: "\(path) was removed or renamed by another hand: what was written to it meanwhile is where that went")
        _ = try entry.withUnsafeBufferPointer { all throws(Errno) in try write(UnsafeRawBufferPointer(all)) }
        wasTakenAway = false
    }

    /// Bytes that reached the file for good: all of them, or as many whole entries as it took before it failed.
    private func write(_ part: UnsafeRawBufferPointer) throws(Errno) -> Int {
        guard let file else { return 0 }
        var written = 0
        do {
            while written < part.count {
                written += try kernel.write(file.fd, UnsafeRawBufferPointer(rebasing: part[written...]))
            }
        } catch {
            let whole = part.wholeEntries(within: written)
            do {
                try kernel.truncate(file.fd, to: size + Int64(whole))
                size += Int64(whole)
            } catch {
                self.file = nil  // opening it again cuts the torn end
            }
            if whole == 0 { throw error }
            return whole
        }
        if size == 0 { oldest = WallStamp(part.prefix(WallStamp.byteCount)) }
        size += Int64(written)
        return written
    }

    /// Rotates `current` when its first entry is older than this instant, so that it can be removed some day.
    func rotate(before instant: WallStamp) throws(Errno) {
        try open()
        guard size > 0, let oldest, oldest <= instant else { return }
        try rotate()
    }

    /// Makes what was written so far survive a power failure. Done at the end only: a crash of this program or of the
    /// whole system's processes loses nothing without it, and at each rotation it would tie the speed to the disk's.
    func synchronize() throws(Errno) {
        if let file { try kernel.synchronize(file.fd) }
    }

    private func open() throws(Errno) {
        guard file == nil else { return }
        do throws(Errno) {
            try kernel.ensureDirectory(directory)
        } catch {
            // log-writer began while the file system was read-only: not even the directory above was made.
            guard error == .noEntry, let end = directory.lastIndex(of: "/") else { throw error }
            try kernel.ensureDirectory(String(directory[..<end]))
            try kernel.ensureDirectory(directory)
        }
        rotated = Set(try kernel.list(directory).compactMap(LogFileName.rotated)).sorted()
        let opened = try kernel.open(path, [.readWrite, .create, .append, .noFollow], mode: LogFile.mode)
        let status = try kernel.status(opened)
        size = status.size
        inode = status.inode
        nextLook = kernel.monotonic() + LogFile.lookPause
        if size == 0 { try kernel.changeMode(opened, to: LogFile.mode) }
        if size > 0, try kernel.bytes(of: opened, at: size - 1, count: 1) != [0x0A] {
            guard let whole = try cutTornEnd(opened, size) else {
                try rotate()
                return try open()
            }
            size = whole
        }
        oldest = size > 0 ? WallStamp(try kernel.bytes(of: opened, at: 0, count: WallStamp.byteCount)) : nil
        file = OpenFile(fd: opened)
    }

    /// The size behind the last whole entry. Nil where the end is nothing that this program has written: it is not cut, and the
    /// file is kept as a rotated one.
    private func cutTornEnd(_ file: borrowing OwnedFD, _ size: Int64) throws(Errno) -> Int64? {
        var lines = try BackwardLines(kernel, kernel.duplicate(file), from: size)
        let last = try lines.next()
        guard !lines.isEndless || lines.offset < size else { return nil }
        let whole = last.map { lines.offset + Int64($0.count) + 1 } ?? (lines.isEndless ? lines.offset + 1 : 0)
        try kernel.truncate(file, to: whole)
        return whole
    }

    private func rotate() throws(Errno) {
        var stamp = WallStamp(nanoseconds: kernel.wallClock())
        // The clock may have been set back, or two rotations fall into one microsecond: names sort by age all the same.
        if let last = rotated.last, LogFileName.rotated(at: stamp) <= last, let before = LogFileName.stamp(of: last) {
            stamp = WallStamp(microseconds: before.microseconds + 1)
        }
        let name = LogFileName.rotated(at: stamp)
        file = nil
        do { try kernel.rename(path, to: directory + "/" + name) } catch  where error == .noEntry {}  // removed by hand
        rotated.append(name)
        hasRotated = true
        while rotated.count > rotation.files { try kernel.removeRotated(directory + "/" + rotated.removeFirst()) }
    }
}

private final class OpenFile {
    let fd: OwnedFD

    init(fd: consuming OwnedFD) { self.fd = fd }
}

extension Kernel {
    /// Removes a rotated file, compressed or not; one that is gone already is no error.
    func removeRotated(_ path: String) throws(Errno) {
        for path in [path, path + LogFileName.compressed] {
            do { try removeFile(path) } catch  where error == .noEntry {}
        }
    }

    /// Makes a directory, readable for the group whatever the umask, if it is not there; its parent must be.
    func ensureDirectory(_ path: String) throws(Errno) {
        do { try makeDirectory(path, mode: 0o750) } catch  where error == .exists { return }
        try changeMode(path, to: 0o750)
    }
}

extension UnsafeRawBufferPointer {
    /// Bytes up to the end of the last whole entry within the first `limit` bytes.
    func wholeEntries(within limit: Int) -> Int {
        (self[..<Swift.min(limit, count)].lastIndex(of: 0x0A) ?? -1) + 1
    }

    /// Bytes of the first entry.
    fileprivate var firstEntry: Int { (firstIndex(of: 0x0A) ?? count - 1) + 1 }
}
