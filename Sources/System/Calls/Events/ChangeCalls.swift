import Glibc
import SupervisorCore

/// inotify(7): learning of changes in directories without asking again and again. Not part of `Kernel`: only who follows
/// logs needs it.
public protocol ChangeCalls {
    /// inotify_init1(2); readable when something changed.
    func makeChangeWatch() throws(Errno) -> OwnedFD
    /// inotify_add_watch(2): files of this directory that are written, made, renamed or removed, from now on. Watching a
    /// directory again changes nothing.
    func watchChanges(in directory: String, by watch: borrowing OwnedFD) throws(Errno)
}

/// What a reader of logs needs of the kernel.
public protocol LogReadingKernel: Kernel, WaitCalls, ChangeCalls {}

extension LiveKernel: LogReadingKernel {}

// Each call is described at its requirement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension LiveKernel {
    public func makeChangeWatch() throws(Errno) -> OwnedFD {
        OwnedFD(owning: Int32(try retrying { Int(inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))) }))
    }

    public func watchChanges(in directory: String, by watch: borrowing OwnedFD) throws(Errno) {
        let raw = watch.raw
        let events = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR
        _ = try retrying { Int(inotify_add_watch(raw, directory, UInt32(events))) }
    }
}
