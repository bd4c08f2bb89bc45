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

    /// Paths, oldest first; empty when there is no such directory.
    var paths: [String] {
        let rotated = ((try? kernel.list(directory)) ?? []).filter(LogFileName.isRotated).sorted()
        return (rotated + [LogFileName.current]).map { directory + "/" + $0 }
    }
}
