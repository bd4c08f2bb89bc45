import Foundation
import GRDB
import Glibc

/// What an error of SQLite says to people, and whether the same can be tried again.
enum StoreFailure {
    /// True when there was no room to write (SQLITE_FULL, or an I/O error of the same kind): nothing was changed, and the
    /// same can be tried again when there is room (https://sqlite.org/rescode.html).
    static func isNoRoom(_ error: any Error) -> Bool {
        if let error = error as? CocoaError { return error.code == .fileWriteOutOfSpace }
        guard let error = error as? DatabaseError else { return false }
        // SQLITE_IOERR_SHMSIZE: the file of the WAL index could not grow.
        return error.resultCode == .SQLITE_FULL || error.extendedResultCode == .SQLITE_IOERR_SHMSIZE
    }

    /// True where the store could not be written now: nothing was changed, and what is the matter may be over later.
    static func isPassing(_ error: any Error) -> Bool {
        guard let error = error as? DatabaseError else { return isNoRoom(error) || isNotWritable(error) }
        switch error.resultCode {
        case .SQLITE_FULL, .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_READONLY,
            .SQLITE_PERM,
            .SQLITE_AUTH, .SQLITE_NOMEM, .SQLITE_PROTOCOL, .SQLITE_INTERRUPT:
            return true
        // A `ResultCode` is a number: there is no list of them to be exhaustive about.
        case _: return isNoRoom(error)
        }
    }

    /// True where another program holds the store, which it may do for a moment only.
    static func isLock(_ error: any Error) -> Bool {
        let code = (error as? DatabaseError)?.resultCode
        return code == .SQLITE_BUSY || code == .SQLITE_LOCKED || code == .SQLITE_PROTOCOL
    }

    private static func isNotWritable(_ error: any Error) -> Bool {
        if let error = error as? CocoaError {
            return error.code == .fileWriteVolumeReadOnly || error.code == .fileWriteNoPermission
        }
        let codes: [ResultCode] = [.SQLITE_READONLY, .SQLITE_PERM, .SQLITE_CANTOPEN, .SQLITE_IOERR]
        return (error as? DatabaseError).map { codes.contains($0.resultCode) } ?? false
    }

    /// Where its file system takes no write from anybody; nil: it does, as far as is known.
    private static func readOnlyWords(_ path: String) -> String? {
        var about = statvfs()
        var place = path
        // Its directory may not be there yet.
        repeat {
            place = (place as NSString).deletingLastPathComponent
        } while statvfs(place, &about) != 0 && place.count > 1
        if about.f_flag & UInt(ST_RDONLY) != 0 {
            return
                "the file system of \(path) is mounted read-only; mount it for writing again (mount -o remount,rw), and look at "
                + "the disk's health where the kernel did that (journalctl -k)"
        }
        // ext4 that found errors is not mounted read-only any more since Linux 6.15, and takes no write all the same. Never by a
        // file of SQLite's: to close one that it has open would end its locks.
        let probe = open(place, unnamedFile | O_WRONLY | O_CLOEXEC, 0o600)
        guard probe < 0 else {
            close(probe)
            return nil
        }
        return errno == EROFS
            ? "the file system of \(path) has become read-only, as the kernel does where it finds errors (journalctl -k); stop "
                + "chat-bridge, check the disk (fsck), mount it again, and start chat-bridge (nexusctl start chat-bridge)"
            : nil
    }

    /// O_TMPFILE (open(2)), which is more than Swift takes over of C.
    private static let unnamedFile: Int32 = 0o20_000_000 | O_DIRECTORY

    /// True where the store itself is the matter, and not what was asked of it.
    static func isTrouble(_ error: any Error) -> Bool {
        guard let code = (error as? DatabaseError)?.resultCode, code != .SQLITE_INTERRUPT else { return false }
        return isPassing(error) || code == .SQLITE_CORRUPT || code == .SQLITE_NOTADB
    }

    /// Without SQL, without what was to be written and without the words of a library: what is the matter, and what to do.
    static func words(_ error: any Error, path: String) -> String {
        if isNoRoom(error) { return "no room is left on the disk of \(path)" }
        if isNotWritable(error), let words = readOnlyWords(path) { return words }
        guard let error = error as? DatabaseError else { return words(error) }
        if error.extendedResultCode == .SQLITE_READONLY_DBMOVED {
            return
                "the store \(path), or its log, was removed or replaced under chat-bridge, and nothing is stored any more: put it "
                + "back, or save what it held (nexusctl chat backup), begin anew (nexusctl restart chat-bridge) and have that "
                + "restored (nexusctl chat restore)"
        }
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL:
            return "another program holds the store \(path) locked; end it (a sqlite3 shell, a copy being made)"
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH, .SQLITE_CANTOPEN:
            return "the store \(path) cannot be written; look at the owner and mode of it and its directory"
        case .SQLITE_IOERR: return "the disk of \(path) gives errors; look at its health"
        case .SQLITE_NOMEM: return "no memory is left for the store \(path)"
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return "the store \(path) is damaged; `nexusctl restart chat-bridge` keeps it aside and begins a new one"
        case _:
            return
                "the store \(path) fails (SQLite's error \(error.extendedResultCode.rawValue)); `nexusctl restart chat-bridge` checks it whole"
        }
    }

    /// Of a file that is known to be bad, without a name or a remedy.
    static func unnamed(_ error: DatabaseError) -> String {
        "SQLite's error \(error.extendedResultCode.rawValue) when it is made a store of this version"
    }

    /// What is no error of SQLite; those of this project have words of their own.
    private static func words(_ error: any Error) -> String {
        switch error {
        case is DecodingError, is EncodingError:
            "something that is stored or was said cannot be read: it is not the JSON that is agreed on"
        case let error as CocoaError: missing(error) ?? unusable(error)
        case is CancellationError: "it was called off"
        case _: "\(error)"
        }
    }

    private static func unusable(_ error: CocoaError) -> String {
        let cause = error.underlying.map { $0 as NSError }
        let why = cause?.domain == NSPOSIXErrorDomain ? cause.map { String(cString: strerror(Int32($0.code))) } : nil
        return "\(error.filePath ?? "a file") could not be read or written" + (why.map { ": \($0)" } ?? "")
    }

    private static func missing(_ error: CocoaError) -> String? {
        guard error.code == .fileNoSuchFile || error.code == .fileReadNoSuchFile else { return nil }
        return error.filePath.map { "the file \($0) is not there any more" } ?? "a file is not there any more"
    }
}

extension ChatStore {
    /// Why a store could not be opened, where the same may be tried again; nil: trying again would change nothing.
    public static func obstacle(_ error: any Error, in directory: String) -> String? {
        StoreFailure.isPassing(error) ? StoreFailure.words(error, path: StoreFile(directory: directory).path) : nil
    }
}

extension ChatError {
    /// What nobody foresaw, in words for people; of an error of the store that nothing was changed and what to do. Whoever asks
    /// a store that another program holds may ask again by himself.
    public init(unforeseen error: any Error, store path: String) {
        let code: Code = StoreFailure.isLock(error) ? .busy : .failed
        self.init(code, "not done: " + StoreFailure.words(error, path: path))
    }
}
