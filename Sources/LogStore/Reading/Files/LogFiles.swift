import System

/// The files of one child in order of age: the rotated ones, then `current`. A file may be gone when it is opened: rotation
/// goes on while we read.
struct LogFiles {
    private let kernel: any Kernel
    private let directory: String

    init(_ kernel: any Kernel, directory: String) {
        self.kernel = kernel
        self.directory = directory
    }

    /// Names of the rotated files as they were given at the rotation, oldest first; empty when there is no such directory.
    /// One that is just being compressed, or was, is there once.
    var rotated: [String] { Set(((try? kernel.list(directory)) ?? []).compactMap(LogFileName.rotated)).sorted() }

    /// Those of them that are not compressed.
    var plain: [String] { ((try? kernel.list(directory)) ?? []).filter(LogFileName.isRotated).sorted() }
}
