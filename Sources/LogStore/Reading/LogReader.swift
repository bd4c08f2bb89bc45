public import System

/// Reads what log-writer wrote. Needs no running log-writer and disturbs none: files are opened, read, and may be rotated
/// or removed meanwhile.
public struct LogReader {
    private let kernel: any LogReadingKernel
    private let directory: String

    /// `directory` is the `logs` directory below the state directory.
    public init(directory: String, kernel: any LogReadingKernel = LiveKernel()) {
        self.kernel = kernel
        self.directory = directory
    }

    /// The children that have logs, by name; `nexusd` stands for the supervisor's own events. ENOENT: no logs at all.
    public func children() throws(Errno) -> [String] {
        try kernel.list(directory).filter { name in
            LogFileName.isChild(name)
                && (try? kernel.status(directory + "/" + name, followingLinks: false))?.kind == .directory
        }.sorted()
    }

    /// Begins to read the logs of these children, or of all, also of those whose logs begin later.
    public func open(_ children: [String]? = nil, _ query: LogQuery = LogQuery()) throws(Errno) -> LogSession {
        let first: [String]
        if let children { first = children } else { first = try self.children() }
        return LogSession(kernel, self, directory, children: children, first: first, query)
    }
}
