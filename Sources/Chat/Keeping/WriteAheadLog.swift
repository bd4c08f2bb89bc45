import GRDB
import Glibc

/// A write-ahead log of SQLite's, a frame at a time: nothing of ours bounds what it has grown to.
///
/// The format: https://sqlite.org/fileformat2.html, 4 (The Write-Ahead Log).
struct WriteAheadLog: ~Copyable {
    static let headerBytes = 32
    private static let frameHeaderBytes = 24
    /// Of a page.
    private static let pageSizes = 512...65_536

    struct Frame {
        /// Where it begins, in bytes from the beginning of the log.
        let offset: Int64
        let state: State
        /// The size of the database stands in the last frame of a transaction only.
        let endsTransaction: Bool

        enum State {
            case whole
            /// Its checksum is another.
            case broken
            /// What an earlier round of the log left there has other salts.
            case ofAnEarlierRound
        }
    }

    private let file: Int32
    private var buffer = [UInt8](repeating: 0, count: headerBytes)
    private var offset = Int64(headerBytes)
    /// Behind the last frame.
    var bytesRead: Int64 { offset }
    /// What its frames have in common; those of an earlier round have others.
    private(set) var salts = SIMD2<UInt32>()
    private var isBigEndian = false
    /// With which the checksum of the next frame begins.
    private var sum = SIMD2<UInt32>()
    private var hasLostTheRound = false

    /// What stands in the way is said as SQLite says it of its own files, so that it is waited for as with those.
    init(_ path: String) throws(DatabaseError) {
        file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw DatabaseError(resultCode: StoreFile.passing(errno) ?? .SQLITE_CANTOPEN) }
    }

    deinit { if file >= 0 { close(file) } }

    /// False: no header that SQLite would read.
    mutating func readHeader() throws(DatabaseError) -> Bool {
        guard try fill(from: 0) else { return false }
        let magic = word(0)
        let pageBytes = Int(word(8))
        guard magic & ~1 == 0x377F_0682, Self.pageSizes.contains(pageBytes), pageBytes & (pageBytes - 1) == 0 else {
            return false
        }
        isBigEndian = magic & 1 == 1
        salts = pair(16)
        sum = pair(24)
        guard checksum(0..<24, from: .zero) == sum else { return false }
        buffer = [UInt8](repeating: 0, count: Self.frameHeaderBytes + pageBytes)
        return true
    }

    /// Nil at the end; what is no whole frame there counts for nothing.
    mutating func next() throws(DatabaseError) -> Frame? {
        guard try fill(from: offset) else { return nil }
        defer { offset += Int64(buffer.count) }
        let stored = pair(16)
        guard pair(8) == salts else {
            if !hasLostTheRound { sum = stored }
            hasLostTheRound = true
            // A whole frame behind it goes on from its sum: then it is of this round, and its salts alone are damaged.
            return Frame(offset: offset, state: .ofAnEarlierRound, endsTransaction: word(4) != 0)
        }
        let own = checksum(Self.frameHeaderBytes..<buffer.count, from: checksum(0..<8, from: sum))
        // Each begins with that of the frame before: behind a broken one the stored one is as good.
        sum = stored
        if own != stored { hasLostTheRound = true }
        return Frame(offset: offset, state: own == stored ? .whole : .broken, endsTransaction: word(4) != 0)
    }

    /// Read and not mapped: of a mapped file a bad sector ends the process. False: there are not so many bytes.
    private mutating func fill(from offset: Int64) throws(DatabaseError) -> Bool {
        var count = 0
        while count < buffer.count {
            let read = buffer.withUnsafeMutableBytes { bytes in
                pread(file, bytes.baseAddress! + count, bytes.count - count, off_t(offset) + off_t(count))
            }
            if read < 0, errno == EINTR { continue }
            guard read >= 0 else { throw DatabaseError(resultCode: StoreFile.passing(errno) ?? .SQLITE_IOERR) }
            if read == 0 { return false }
            count += read
        }
        return true
    }

    private func checksum(_ range: Range<Int>, from seed: SIMD2<UInt32>) -> SIMD2<UInt32> {
        buffer.withUnsafeBytes { bytes in
            var (first, second) = (seed.x, seed.y)
            for offset in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
                let (left, right) = (Self.word(bytes, offset), Self.word(bytes, offset + 4))
                first &+= (isBigEndian ? left : left.byteSwapped) &+ second
                second &+= (isBigEndian ? right : right.byteSwapped) &+ first
            }
            return SIMD2(first, second)
        }
    }

    private func pair(_ offset: Int) -> SIMD2<UInt32> { SIMD2(word(offset), word(offset + 4)) }

    private func word(_ offset: Int) -> UInt32 { buffer.withUnsafeBytes { Self.word($0, offset) } }

    private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
        UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
