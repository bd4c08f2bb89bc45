import GRDB

/// What SQLite does not tell of a write-ahead log: it reads up to the first frame whose checksum is wrong and takes that
/// for the end, as after a power cut. Where a transaction that was acknowledged stood behind it, something that was stored is lost.
enum LogInspection {
    enum Loss: Hashable, Sendable {
        /// The log is gone, or nothing is in it any more.
        case all
        /// It is an older one than that which the index counts.
        case older
        /// It cannot be read from this byte on; its length: it was cut there.
        case from(byte: Int64)
    }

    /// Nil: the log is sound, or torn at its very end.
    static func loss(in path: String, index: LogIndex?) throws(DatabaseError) -> Loss? {
        guard StoreFile.bytes(path) > WriteAheadLog.headerBytes else {
            return index.map { $0.frames > $0.movedFrames } == true ? .all : nil
        }
        var log = try WriteAheadLog(path)
        // Without its header all of it counts for nothing.
        guard try log.readHeader() else { return .from(byte: 0) }
        var counted: Int64 = 0
        if let index {
            if index.isAhead(of: log.salts) { return .older }
            if index.salts == log.salts { counted = index.frames }
        }
        if let byte = try unreadable(&log, counted: counted) { return .from(byte: byte) }
        return nil
    }

    private static func unreadable(_ log: inout WriteAheadLog, counted: Int64) throws(DatabaseError) -> Int64? {
        var wholeFrames: Int64 = 0
        var first: Int64?
        // Its own end is no proof that the transaction was ever whole: a power cut while it was written may have spared that. The
        // next one was begun when it was on the disk.
        var end = End.none
        while let frame = try log.next() {
            let ends = frame.endsTransaction
            switch frame.state {
            case .ofAnEarlierRound where first != nil: continue
            // Nothing behind one of an earlier round belongs to this one, unless this is the damage.
            case .ofAnEarlierRound:
                first = frame.offset
                if ends { end = .maybe }
            case .broken:
                if let first, end == .sure { return first }
                if first == nil { first = frame.offset }
                if ends { end = .sure }
            case .whole:
                guard let first else {
                    wholeFrames += 1
                    continue
                }
                if end != .none { return first }
                if ends { end = .sure }
            }
        }
        return wholeFrames < counted ? first ?? log.bytesRead : nil
    }

    /// Whether a transaction has ended among what cannot be read.
    private enum End {
        case none
        /// It is of this round, if a frame behind it goes on from there.
        case maybe
        case sure
    }
}
