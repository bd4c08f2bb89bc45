import SupervisorCore
import System
import Wire

/// Compresses rotated files by running zstd(1), one at a time, at the lowest priority: the thread that writes lines never
/// does it itself. The compressed file is complete and on the disk before it takes the place of the plain one; whoever
/// kills us before leaves the plain one, and a name that the next run replaces.
struct Compressor {
    /// CPU seconds that one file may take.
    static let cpuSeconds: UInt64 = 600
    /// Bytes of memory that zstd may have.
    static let memoryBytes: UInt64 = 256 * 1024 * 1024
    /// Failures in a row after which it is left alone.
    static let patience = 3
    /// Directories that may wait; one that finds no room is seen to at its next rotation.
    static let waitingLimit = 64
    /// Rotated files that stay as they are: the youngest.
    static let keptPlain = 1

    private let kernel: any LogKernel
    private let program: String
    private var waiting: [String] = []
    private var job: Job?
    private var failures = 0

    private final class Job {
        let path: String
        let process: Spawned
        let target: OwnedFD

        init(path: String, process: consuming Spawned, target: consuming OwnedFD) {
            self.path = path
            self.process = process
            self.target = target
        }
    }

    init(_ kernel: any LogKernel, program: String) {
        self.kernel = kernel
        self.program = program
    }

    /// The end of the file that is being compressed.
    var request: WaitRequest? { job.map { WaitRequest($0.process.pidfd, .readable) } }

    /// A directory in which a file was rotated.
    mutating func add(_ directory: String) {
        guard failures < Compressor.patience, !waiting.contains(directory), waiting.count < Compressor.waitingLimit
        else { return }
        waiting.append(directory)
    }

    /// Takes what zstd has done and begins the next file; what went wrong, if it is to be told.
    mutating func work() -> LogEvent? {
        do throws(Errno) {
            if job != nil, try !finish() { return nil }
            while job == nil, let directory = waiting.first {
                let plain = LogFiles(kernel, directory: directory).plain.dropLast(Compressor.keptPlain)
                guard let name = plain.first else {
                    waiting.removeFirst()
                    continue
                }
                try begin(directory + "/" + name)
            }
            return nil
        } catch {
            failures += 1
            waiting = failures < Compressor.patience ? Array(waiting.dropFirst()) : []
            return failures == 1 || failures == Compressor.patience
                ? .notCompressed(error, isLast: failures == Compressor.patience) : nil
        }
    }

    /// Ends what runs; the plain file is there still.
    mutating func end() {
        guard let job else { return }
        self.job = nil
        try? kernel.signal(job.process.pidfd, .kill)
        var requests = [WaitRequest(job.process.pidfd, .readable)]
        try? kernel.wait(for: &requests, atMost: .seconds(1))
        _ = try? kernel.reap(job.process.process)
        try? kernel.removeFile(job.path + LogFileName.unfinished)
    }

    private mutating func begin(_ path: String) throws(Errno) {
        let unfinished = path + LogFileName.unfinished
        do { try kernel.removeFile(unfinished) } catch  where error == .noEntry {}
        let source = try kernel.openRegular(path, [.readOnly, .noFollow, .nonBlocking], mode: 0)
        let target = try kernel.open(
            unfinished, [.writeOnly, .create, .exclusive, .noFollow], mode: LogFile.mode)
        let null = try kernel.open("/dev/null", .writeOnly, mode: 0)
        try kernel.changeMode(target, to: LogFile.mode)
        var image = SpawnImage(
            executable: program, arguments: ["zstd", "-q", "-3", "-c", "-"], environment: ["LC_ALL=C"])
        image.descriptors = [
            DescriptorMapping(source: source.raw, target: 0), DescriptorMapping(source: target.raw, target: 1),
            DescriptorMapping(source: null.raw, target: 2),
        ]
        image.nice = 19
        image.deathSignal = .kill
        image.limits = [
            ResourceLimit(resource: ResourceLimit.cpu, soft: Compressor.cpuSeconds, hard: Compressor.cpuSeconds),
            ResourceLimit(
                resource: ResourceLimit.addressSpace, soft: Compressor.memoryBytes, hard: Compressor.memoryBytes),
        ]
        do throws(SpawnFailure) {
            job = Job(path: path, process: try kernel.spawn(image), target: target)
        } catch {
            try? kernel.removeFile(unfinished)
            throw error.error
        }
    }

    /// False while it still runs.
    private mutating func finish() throws(Errno) -> Bool {
        guard let job, let ended = try kernel.reap(job.process.process) else { return false }
        self.job = nil
        let unfinished = job.path + LogFileName.unfinished
        // A program that is not there is no file that is gone.
        if let failure = kernel.failure(in: job.process.report) {
            try? kernel.removeFile(unfinished)
            throw failure.error
        }
        do throws(Errno) {
            guard ended.exit == .code(0), try kernel.status(job.target).size > 0 else { throw Errno.inputOutput }
            // Removed meanwhile, because there were too many: then nobody wants the compressed one either.
            _ = try kernel.status(job.path, followingLinks: false)
            try kernel.synchronize(job.target)
            try kernel.rename(unfinished, to: job.path + LogFileName.compressed)
            do { try kernel.removeFile(job.path) } catch  where error == .noEntry {}
        } catch {
            try? kernel.removeFile(unfinished)
            if error != .noEntry { throw error }
        }
        failures = 0
        return true
    }
}
