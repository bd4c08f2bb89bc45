import Glibc

/// What SQLite's index of a write-ahead log (`-shm`) tells of that log, as the process left it that was killed: how much of it was
/// acknowledged. SQLite counts a transaction there when it is on the disk and not before, so what is counted and not in the log any
/// more is lost. After a power cut it may be of an earlier moment, and then counts less.
///
/// The format: https://sqlite.org/walformat.html, 2 (The WAL-Index File Format); in the order of bytes of the machine.
struct LogIndex {
    /// Of the round of the log that it counts.
    let salts: SIMD2<UInt32>
    /// Frames of transactions that came to their end.
    let frames: Int64
    /// How many of these are in the database too.
    let movedFrames: Int64

    private static let headerBytes = 48

    /// Nil: there is none, or none that is whole. SQLite makes it anew then, from the log.
    init?(_ path: String) {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 2 * Self.headerBytes + 4)
        guard bytes.withUnsafeMutableBytes({ pread(file, $0.baseAddress, $0.count, 0) }) == bytes.count else {
            return nil
        }
        let words = bytes.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4).map { bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self) }
        }
        let count = Self.headerBytes / 4
        // Written one after the other, so that of a process that is killed meanwhile one of them is whole.
        guard let header = [words[..<count], words[count..<2 * count]].map(Array.init).first(where: Self.isWhole) else {
            return nil
        }
        // They lie there as they do in the log.
        salts = SIMD2(UInt32(bigEndian: header[8]), UInt32(bigEndian: header[9]))
        frames = Int64(header[4])
        movedFrames = Int64(words[2 * count])
    }

    /// Whether it counts frames of a later round than that of a log with these salts. Each round adds one to the first of them; a log
    /// that is ahead itself has gone on since the index was written to the disk.
    func isAhead(of log: SIMD2<UInt32>) -> Bool {
        // A round whose first frame is not written has none, and finds the log of the one before.
        frames > 0 && salts != log && Int32(bitPattern: salts.x &- log.x) >= 0
    }

    private static func isWhole(_ header: [UInt32]) -> Bool {
        let isInitialized = withUnsafeBytes(of: header[3]) { $0[0] } == 1
        var (first, second): (UInt32, UInt32) = (0, 0)
        for place in stride(from: 0, to: 10, by: 2) {
            first &+= header[place] &+ second
            second &+= header[place + 1] &+ first
        }
        return header[0] == 3_007_000 && isInitialized && header[10] == first && header[11] == second
    }
}
