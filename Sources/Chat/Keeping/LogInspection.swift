import Foundation
import GRDB
import Glibc

/// What SQLite does not tell of a write-ahead log: it reads up to the first frame whose checksum is wrong and takes that
/// for the end, as after a power cut. Where whole transactions stand behind it, something that was stored is lost.
///
/// The format: https://sqlite.org/fileformat2.html, 4 (The Write-Ahead Log).
enum LogInspection {
    private static let headerBytes = 32
    private static let frameHeaderBytes = 24

    /// The byte from which on the log cannot be read, when ends of transactions stand behind it; nil: it is sound, or torn
    /// at its very end.
    static func unreadable(_ path: String) throws -> Int? {
        guard StoreFile.bytes(path) > headerBytes else { return nil }
        return try content(path).withUnsafeBytes { Self.unreadable($0) }
    }

    /// All of it, read and not mapped: of a mapped file a bad sector ends the process. What stands in the way is said as SQLite
    /// says it of its own files, so that it is waited for as with those.
    static func content(_ path: String) throws(DatabaseError) -> Data {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw DatabaseError(resultCode: StoreFile.passing(errno) ?? .SQLITE_CANTOPEN) }
        do {
            return try FileHandle(fileDescriptor: file, closeOnDealloc: true).readToEnd() ?? Data()
        } catch {
            throw DatabaseError(resultCode: .SQLITE_IOERR)
        }
    }

    private static func unreadable(_ bytes: UnsafeRawBufferPointer) -> Int? {
        // Without its header all of it counts for nothing.
        guard let log = Log(bytes) else { return 0 }
        var sum = log.headerSum
        var first: Int?
        for offset in stride(from: headerBytes, through: bytes.count - log.frameBytes, by: log.frameBytes) {
            // Frames of an earlier round of the log have other salts: nothing behind them belongs to this one.
            guard log.salts(at: offset + 8) == log.salts(at: 16) else {
                guard first == nil else { continue }
                first = offset
                sum = log.storedSum(offset)
                continue
            }
            let isWhole = log.sum(offset, from: sum) == log.storedSum(offset)
            if !isWhole, first == nil { first = offset }
            // Each sum begins with that of the frame before: behind a broken one the stored sum is as good.
            sum = log.storedSum(offset)
            if let first, isWhole, log.endsTransaction(offset) { return first }
        }
        return nil
    }

    /// The bytes of a log, which are mapped.
    private struct Log {
        let bytes: UnsafeRawBufferPointer
        let isBigEndian: Bool
        let pageBytes: Int
        var frameBytes: Int { frameHeaderBytes + pageBytes }

        /// Nil: no header that SQLite would read.
        init?(_ bytes: UnsafeRawBufferPointer) {
            self.bytes = bytes
            guard bytes.count > headerBytes else { return nil }
            let magic = Self.word(bytes, 0)
            guard magic & ~1 == 0x377F_0682 else { return nil }
            isBigEndian = magic & 1 == 1
            pageBytes = Int(Self.word(bytes, 8))
            guard (512...65_536).contains(pageBytes), pageBytes & (pageBytes - 1) == 0 else { return nil }
            guard sum(0..<24, from: .zero) == headerSum else { return nil }
        }

        var headerSum: SIMD2<UInt32> { SIMD2(Self.word(bytes, 24), Self.word(bytes, 28)) }

        func salts(at offset: Int) -> SIMD2<UInt32> {
            SIMD2(Self.word(bytes, offset), Self.word(bytes, offset + 4))
        }

        func storedSum(_ frame: Int) -> SIMD2<UInt32> {
            SIMD2(Self.word(bytes, frame + 16), Self.word(bytes, frame + 20))
        }

        /// The size of the database stands in the last frame of a transaction only.
        func endsTransaction(_ frame: Int) -> Bool { Self.word(bytes, frame + 4) != 0 }

        func sum(_ frame: Int, from seed: SIMD2<UInt32>) -> SIMD2<UInt32> {
            let head = sum(frame..<frame + 8, from: seed)
            return sum(frame + frameHeaderBytes..<frame + frameBytes, from: head)
        }

        private func sum(_ range: Range<Int>, from seed: SIMD2<UInt32>) -> SIMD2<UInt32> {
            var (first, second) = (seed.x, seed.y)
            for offset in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
                let (left, right) = (Self.word(bytes, offset), Self.word(bytes, offset + 4))
                first &+= (isBigEndian ? left : left.byteSwapped) &+ second
                second &+= (isBigEndian ? right : right.byteSwapped) &+ first
            }
            return SIMD2(first, second)
        }

        private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
            UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
    }
}
