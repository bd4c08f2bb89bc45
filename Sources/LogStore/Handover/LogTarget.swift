import SupervisorCore
import Wire

/// Where the lines of a stream go.
struct LogTarget: Hashable, Sendable {
    /// Name of the child, which is also the name of its directory.
    var child: String
    /// Run, for the journal's fields.
    var run: RunID
    /// Who says the lines.
    var source: LogSource
    /// When the child's file is rotated.
    var rotation: Rotation
    /// Journald too.
    var journal: Bool
}

/// When a file is rotated and what is kept.
struct Rotation: Hashable, Sendable {
    /// Bytes of a file; at least 64 KiB, for below that the renaming costs more than the writing.
    var fileBytes: Int64
    /// Rotated files kept beside the current one.
    var files: Int

    static let smallest: Int64 = 64 * 1024

    /// Limits a plan's numbers to what makes sense.
    init(fileBytes: UInt64, files: UInt16) {
        self.fileBytes = max(Rotation.smallest, Int64(clamping: fileBytes))
        self.files = Int(files)
    }

    /// For nexusd's own events: 10 MB, 10 files.
    static let ofEvents = Rotation(fileBytes: 10_000_000, files: 10)
}
