import SupervisorCore
import System

/// Waits for changes below the log directory: lines, rotations and new children.
final class LogWatch {
    /// How often a follower looks where the kernel gives it no inotify (max_user_instances, max_user_watches).
    static let pollPause: Duration = .milliseconds(250)

    private let kernel: any LogReadingKernel
    private let directory: String
    private let watch: OwnedFD?
    private var isComplete = true

    init(_ kernel: any LogReadingKernel, directory: String) {
        self.kernel = kernel
        self.directory = directory
        watch = try? kernel.makeChangeWatch()
        add(directory)
    }

    /// Watches a child's directory too; before it is read, so that nothing falls between.
    func add(child: String) { add(directory + "/" + child) }

    private func add(_ path: String) {
        do {
            switch watch {
            case .some(let watch): try kernel.watchChanges(in: path, by: watch)
            case .none: throw Errno.tooManyOpen
            }
        } catch {
            // What is not there yet is heard of when it is made.
            if error as? Errno != .noEntry { isComplete = false }
        }
    }

    /// Waits until something changed, at most this long; nil: without end. What changed is not told: reading finds it.
    func wait(atMost limit: Duration?) throws(Errno) {
        let limit = isComplete ? limit : min(limit ?? LogWatch.pollPause, LogWatch.pollPause)
        switch watch {
        case .none:
            var nothing: [WaitRequest] = []
            try kernel.wait(for: &nothing, atMost: limit)
        case .some(let watch):
            var requests = [WaitRequest(watch, .readable)]
            try kernel.wait(for: &requests, atMost: limit)
            if requests[0].isReady { empty(watch) }
        }
    }

    private func empty(_ watch: borrowing OwnedFD) {
        withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 16) { buffer in
            while let count = try? kernel.read(watch, into: buffer), count == buffer.count {}
        }
    }
}
