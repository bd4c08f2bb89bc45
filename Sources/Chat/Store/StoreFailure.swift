import GRDB

/// What an error of SQLite says to people.
enum StoreFailure {
    /// True when there was no room to write (SQLITE_FULL, or an I/O error of the same kind): nothing was changed, and the
    /// same can be tried again when there is room (https://sqlite.org/rescode.html).
    static func isNoRoom(_ error: any Error) -> Bool {
        guard let error = error as? DatabaseError else { return false }
        // SQLITE_IOERR_SHMSIZE: the file of the WAL index could not grow.
        return error.resultCode == .SQLITE_FULL || error.extendedResultCode == .SQLITE_IOERR_SHMSIZE
    }

    /// Without SQL and without what was to be written.
    static func words(_ error: any Error, path: String) -> String {
        if isNoRoom(error) { return "no room is left on the disk of \(path)" }
        guard let error = error as? DatabaseError else { return "\(error)" }
        return "the store \(path) fails: \(error.message ?? "SQLite error \(error.resultCode.rawValue)")"
    }
}
