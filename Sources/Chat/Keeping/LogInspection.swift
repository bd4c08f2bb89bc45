import GRDB

/// What SQLite does not tell of a write-ahead log: it reads up to the first frame whose checksum is wrong and takes that
/// for the end, as after a power cut. Where another transaction was begun behind it, something that was stored is lost.
enum LogInspection {
    /// The byte from which on the log cannot be read, when a transaction that was whole is lost by that; nil: it is sound, or torn
    /// at its very end.
    static func unreadable(_ path: String) throws(DatabaseError) -> Int64? {
        guard StoreFile.bytes(path) > WriteAheadLog.headerBytes else { return nil }
        var log = try WriteAheadLog(path)
        // Without its header all of it counts for nothing.
        guard try log.readHeader() else { return 0 }
        var first: Int64?
        // Its own end is no proof that the transaction was ever whole: a power cut while it was written may have spared that. The
        // next one was begun when it was on the disk.
        var hasEnded = false
        while let frame = try log.next() {
            switch frame.state {
            case .ofAnEarlierRound where first != nil: continue
            // Nothing behind one of an earlier round belongs to this one, unless this is the damage.
            case .ofAnEarlierRound, .broken:
                if first == nil { first = frame.offset }
                hasEnded = hasEnded || frame.endsTransaction
            case .whole:
                guard let first else { continue }
                if hasEnded { return first }
                hasEnded = frame.endsTransaction
            }
        }
        return nil
    }
}
