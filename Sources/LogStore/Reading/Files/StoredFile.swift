import SupervisorCore
import System

/// Opens files of the log directory for reading, compressed or not. A compressed one is unpacked by zstd(1) into a file
/// without a name, so that it can be read from its end as any other; it is gone when it is closed.
struct StoredFile {
    /// Where zstd may be.
    static let programs = ["/usr/bin/zstd", "/bin/zstd", "/usr/local/bin/zstd"]
    /// Where the unpacked file may lie, tried in order.
    static let places = ["/var/tmp", "/tmp"]
    /// How long unpacking may take: it goes at hundreds of megabytes a second.
    static let patience: Duration = .seconds(60)

    private static let reading: OpenFlags = [.readOnly, .noFollow, .nonBlocking]

    private let kernel: any Kernel

    init(_ kernel: any Kernel) { self.kernel = kernel }

    /// ENOENT: neither is there. ENOEXEC: there is only a compressed one, and no zstd; EIO: zstd could not unpack it.
    func open(_ path: String) throws(Errno) -> OwnedFD {
        do { return try kernel.openRegular(path, Self.reading, mode: 0) } catch  where error == .noEntry {
            do {
                let packed = try kernel.openRegular(path + LogFileName.compressed, Self.reading, mode: 0)
                return try unpack(packed)
            } catch  where error == .noEntry {
                // Removed, or compressed between the two looks: then it is not plain again.
                return try kernel.openRegular(path, Self.reading, mode: 0)
            }
        }
    }

    private func unpack(_ packed: borrowing OwnedFD) throws(Errno) -> OwnedFD {
        guard let program = StoredFile.programs.first(where: { (try? kernel.status($0, followingLinks: true)) != nil })
        else { throw .notExecutable }
        let target = try temporary()
        let null = try kernel.open("/dev/null", .writeOnly, mode: 0)
        var image = SpawnImage(
            executable: program, arguments: ["zstd", "-q", "-d", "-c", "-"], environment: ["LC_ALL=C"])
        image.descriptors = [
            DescriptorMapping(source: packed.raw, target: 0), DescriptorMapping(source: target.raw, target: 1),
            DescriptorMapping(source: null.raw, target: 2),
        ]
        image.newSession = false  // Ctrl-C ends it too
        let process: Spawned
        do throws(SpawnFailure) { process = try kernel.spawn(image) } catch { throw error.error }
        let poller = try Poller(kernel, capacity: 1)
        try poller.add(process.pidfd, token: 1)
        try poller.wait(atMost: StoredFile.patience)
        if poller.batch.count == 0 { try? kernel.signal(process.pidfd, .kill) }
        if poller.batch.count == 0 { try poller.wait(atMost: .seconds(1)) }
        let ended = try kernel.reap(process.process)
        if let failure = kernel.failure(in: process.report) { throw failure.error }
        guard ended?.exit == .code(0) else { throw .inputOutput }
        return target
    }

    private func temporary() throws(Errno) -> OwnedFD {
        var last = Errno.noEntry
        for place in StoredFile.places {
            let path = place + "/nexus-log-\(kernel.processID())-\(kernel.monotonic().nanoseconds)"
            do throws(Errno) {
                let fd = try kernel.open(path, [.readWrite, .create, .exclusive, .noFollow], mode: 0o600)
                try kernel.removeFile(path)
                return fd
            } catch {
                last = error
            }
        }
        throw last
    }
}
