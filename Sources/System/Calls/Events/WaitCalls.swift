import CNexus
import Glibc
import SupervisorCore

/// Waiting for a few descriptors with nanoseconds of precision, which epoll_wait(2) has not. Not part of `Kernel`: only
/// log-writer, which paces its reading, and its threads need it.
public protocol WaitCalls {
    /// ppoll(2): waits until one of these is ready, at most this long; nil: without end. The answers are in the requests.
    /// EINTR ends it with nothing ready.
    func wait(for requests: inout [WaitRequest], atMost limit: Duration?) throws(Errno)
    /// PR_SET_TIMERSLACK of the calling thread: how late a wait may end so that wake-ups can be joined; 50 µs by default.
    func setTimerSlack(_ slack: Duration)
}

/// What log-writer and its threads need of the kernel.
public protocol LogKernel: Kernel, WaitCalls, PeekCalls, Sendable {}

extension LiveKernel: LogKernel {}

/// One descriptor of a wait.
public struct WaitRequest: Sendable {
    /// Never, reading or writing: what is waited for.
    public enum Interest: Hashable, Sendable {
        /// This one is left out of the wait.
        case none
        /// Bytes, a message, an expiry, or the end.
        case readable
        /// Room for more.
        case writable
    }
    /// A raw descriptor, kept open by the caller for as long as the wait.
    public let fd: Int32
    /// What it is waited for.
    public var interest: Interest
    /// The answer: ready for it, or in error, or hung up.
    public internal(set) var isReady = false

    /// Both.
    public init(_ fd: borrowing OwnedFD, _ interest: Interest) {
        self.fd = fd.raw
        self.interest = interest
    }
}

// Each call is described at its requirement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension LiveKernel {
    public func wait(for requests: inout [WaitRequest], atMost limit: Duration?) throws(Errno) {
        let result = withUnsafeTemporaryAllocation(of: pollfd.self, capacity: requests.count) { polled in
            for (index, request) in requests.enumerated() {
                // A negative descriptor is skipped by poll(2).
                polled[index] = pollfd(
                    fd: request.interest == .none ? -1 : request.fd,
                    events: Int16(request.interest == .writable ? POLLOUT : POLLIN), revents: 0)
            }
            let nanoseconds = max(0, limit?.nanoseconds ?? 0)
            var time = timespec(
                tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
            let count = withUnsafeMutablePointer(to: &time) {
                ppoll(polled.baseAddress, UInt(requests.count), limit == nil ? nil : $0, nil)
            }
            let error = count < 0 ? Errno.current : nil
            for index in requests.indices { requests[index].isReady = count > 0 && polled[index].revents != 0 }
            return error
        }
        if let result, result != .interrupted { throw result }
    }

    public func setTimerSlack(_ slack: Duration) { nexus_set_timer_slack(UInt64(max(1, slack.nanoseconds))) }
}
