import Glibc

extension LiveMachine {
    /// Bytes of /proc/locks that are looked at: some ten thousand locks.
    private static let locksLimit = 1 << 20

    func lock(of path: String) -> FileLock {
        let file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return errno == ENOENT ? .free : .held(by: nil) }
        defer { close(file) }
        // Whoever wants it in this moment tries again (DirectoryLock).
        if flock(file, LOCK_SH | LOCK_NB) == 0 { return .free }
        var status = stat()
        guard fstat(file, &status) == 0 else { return .held(by: nil) }
        return .held(by: holder(ofLockOn: status.st_ino))
    }

    /// proc_locks(5): `1: FLOCK  ADVISORY  WRITE 1234 08:01:99 0 EOF`. The device in it is that of the file system, which stat(2) does
    /// not say of all; where files of two have this number, whose lock it is cannot be told.
    private func holder(ofLockOn inode: ino_t) -> UInt32? {
        guard let (_, bytes) = try? read("/proc/locks", limit: Self.locksLimit) else { return nil }
        let holders = bytes.split(separator: UInt8(ascii: "\n")).compactMap { line -> Int32? in
            let words = String(decoding: line, as: UTF8.self).split(separator: " ")
            // A waiting one has an arrow behind its number.
            guard words.count == 8, words[1] == "FLOCK", words[5].split(separator: ":").last == "\(inode)" else {
                return nil
            }
            return Int32(words[4])
        }
        guard holders.count == 1 else { return nil }
        return effectiveUser(of: holders[0])
    }

    /// proc_pid_status(5): real, effective, saved, of the file system.
    private func effectiveUser(of process: Int32) -> UInt32? {
        guard let (_, bytes) = try? read("/proc/\(process)/status", limit: 1 << 16) else { return nil }
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        return lines.first { $0.starts(with: "Uid:".utf8) }.flatMap { line in
            let words = String(decoding: line, as: UTF8.self).split { $0 == "\t" || $0 == " " }
            return words.count == 5 ? UInt32(words[2]) : nil
        }
    }
}
