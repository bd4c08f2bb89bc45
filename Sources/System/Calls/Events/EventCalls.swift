import CNexus
import Glibc
public import SupervisorCore

/// epoll, timers, signals as descriptors.
public protocol EventCalls {
    /// epoll_create1(2).
    func makeEpoll() throws(Errno) -> OwnedFD
    /// EPOLL_CTL_ADD, or EPOLL_CTL_MOD with `change`.
    func watch(
        _ fd: borrowing OwnedFD, by epoll: borrowing OwnedFD, for events: PollEvents, token: UInt64, change: Bool
    ) throws(Errno)
    /// EPOLL_CTL_DEL: explicit, because a duplicate in another process would keep the registration alive.
    func unwatch(_ fd: borrowing OwnedFD, by epoll: borrowing OwnedFD) throws(Errno)
    /// epoll_wait(2): fills the batch. nil waits without end. EINTR ends it with an empty batch.
    func wait(_ epoll: borrowing OwnedFD, into batch: PollBatch, milliseconds: Int32?) throws(Errno)
    /// timerfd_create(2) on CLOCK_MONOTONIC.
    func makeTimer() throws(Errno) -> OwnedFD
    /// timerfd_settime(2), absolute; nil disarms. An instant in the past fires at once.
    func setTimer(_ timer: borrowing OwnedFD, to instant: Instant?) throws(Errno)
    /// timerfd_create(2) on CLOCK_REALTIME, armed for ever with TFD_TIMER_CANCEL_ON_SET: readable once the wall clock was
    /// set, or the machine has slept.
    func makeClockAlarm() throws(Errno) -> OwnedFD
    /// eventfd(2).
    func makeEventCounter() throws(Errno) -> OwnedFD
    /// pthread_sigmask(3): blocks these in the calling thread and in those it starts.
    func block(_ signals: SignalSet) throws(Errno)
    /// SIG_IGN.
    func ignore(_ signals: SignalSet) throws(Errno)
    /// SIG_DFL.
    func restore(_ signals: SignalSet) throws(Errno)
    /// signalfd(2).
    func makeSignalFD(_ signals: SignalSet) throws(Errno) -> OwnedFD
    /// One pending signal of a signalfd; nil when there is none.
    func readSignal(_ fd: borrowing OwnedFD) throws(Errno) -> ReceivedSignal?
}

// Each call is described at its requirement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension LiveKernel {
    public func makeEpoll() throws(Errno) -> OwnedFD {
        let fd = epoll_create1(Int32(EPOLL_CLOEXEC))
        if fd < 0 { throw Errno.current }
        return OwnedFD(owning: fd)
    }

    public func watch(
        _ fd: borrowing OwnedFD, by epoll: borrowing OwnedFD, for events: PollEvents, token: UInt64, change: Bool
    ) throws(Errno) {
        var event = epoll_event(events: events.rawValue, data: epoll_data_t(u64: token))
        if epoll_ctl(epoll.raw, change ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd.raw, &event) < 0 { throw Errno.current }
    }

    public func unwatch(_ fd: borrowing OwnedFD, by epoll: borrowing OwnedFD) throws(Errno) {
        if epoll_ctl(epoll.raw, EPOLL_CTL_DEL, fd.raw, nil) < 0 { throw Errno.current }
    }

    public func wait(_ epoll: borrowing OwnedFD, into batch: PollBatch, milliseconds: Int32?) throws(Errno) {
        let count = epoll_wait(epoll.raw, batch.storage, Int32(batch.capacity), milliseconds ?? -1)
        batch.count = max(0, Int(count))
        if count < 0 && Errno.current != .interrupted { throw Errno.current }
    }

    public func makeTimer() throws(Errno) -> OwnedFD {
        let fd = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_NONBLOCK | TFD_CLOEXEC))
        if fd < 0 { throw Errno.current }
        return OwnedFD(owning: fd)
    }

    public func setTimer(_ timer: borrowing OwnedFD, to instant: Instant?) throws(Errno) {
        var setting = itimerspec()
        if let instant {
            let nanoseconds = max(1, instant.nanoseconds)  // all zero would disarm
            setting.it_value = timespec(
                tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        }
        let absolute = Int32(TFD_TIMER_ABSTIME)
        if timerfd_settime(timer.raw, absolute, &setting, nil) < 0 { throw Errno.current }
    }

    public func makeClockAlarm() throws(Errno) -> OwnedFD {
        let fd = timerfd_create(CLOCK_REALTIME, Int32(TFD_NONBLOCK | TFD_CLOEXEC))
        if fd < 0 { throw Errno.current }
        let alarm = OwnedFD(owning: fd)
        // The year 2262: what an instant in nanoseconds can name.
        var setting = itimerspec()
        setting.it_value = timespec(tv_sec: 9_223_372_036, tv_nsec: 0)
        // TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET; the header's enum does not reach Swift.
        if timerfd_settime(alarm.raw, 1 | 2, &setting, nil) < 0 { throw Errno.current }
        return alarm
    }

    public func makeEventCounter() throws(Errno) -> OwnedFD {
        let fd = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        if fd < 0 { throw Errno.current }
        return OwnedFD(owning: fd)
    }

    public func block(_ signals: SignalSet) throws(Errno) { _ = try checked(nexus_block_signals(signals.rawValue)) }

    public func ignore(_ signals: SignalSet) throws(Errno) { _ = try checked(nexus_ignore_signals(signals.rawValue)) }

    public func restore(_ signals: SignalSet) throws(Errno) { _ = try checked(nexus_default_signals(signals.rawValue)) }

    public func makeSignalFD(_ signals: SignalSet) throws(Errno) -> OwnedFD {
        try owned(nexus_signalfd(signals.rawValue))
    }

    public func readSignal(_ fd: borrowing OwnedFD) throws(Errno) -> ReceivedSignal? {
        var info = signalfd_siginfo()
        let raw = fd.raw
        do {
            let count = try retrying { Glibc.read(raw, &info, MemoryLayout<signalfd_siginfo>.size) }
            guard count == MemoryLayout<signalfd_siginfo>.size else { return nil }
        } catch  where error == .again {
            return nil
        }
        return ReceivedSignal(
            signal: Signal(rawValue: Int32(info.ssi_signo)), sender: ProcessID(rawValue: Int32(info.ssi_pid)),
            user: info.ssi_uid)
    }
}
