public import SupervisorCore
public import System

// Each call is described at its requirement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension FaultyKernel {
    public func makeEpoll() throws(Errno) -> OwnedFD {
        try pass(.makeEpoll)
        return try base.makeEpoll()
    }

    public func watch(
        _ fd: borrowing OwnedFD, by epoll: borrowing OwnedFD, for events: PollEvents, token: UInt64, change: Bool
    ) throws(Errno) {
        // EPOLL_CTL_MOD allocates nothing.
        try pass(.watch, change ? [] : Call.watch.errnos)
        try base.watch(fd, by: epoll, for: events, token: token, change: change)
    }

    public func unwatch(_ fd: borrowing OwnedFD, by epoll: borrowing OwnedFD) throws(Errno) {
        try pass(.unwatch)
        try base.unwatch(fd, by: epoll)
    }

    public func wait(_ epoll: borrowing OwnedFD, into batch: PollBatch, milliseconds: Int32?) throws(Errno) {
        try pass(.wait)
        let limit = longestWait
        try base.wait(
            epoll, into: batch, milliseconds: limit.map { min($0, milliseconds ?? $0) } ?? milliseconds)
    }

    public func makeTimer() throws(Errno) -> OwnedFD {
        try pass(.makeTimer)
        return try base.makeTimer()
    }

    public func setTimer(_ timer: borrowing OwnedFD, to instant: Instant?) throws(Errno) {
        try pass(.setTimer)
        try base.setTimer(timer, to: instant)
    }

    public func makeClockAlarm() throws(Errno) -> OwnedFD {
        try pass(.makeClockAlarm)
        return try base.makeClockAlarm()
    }

    public func makeEventCounter() throws(Errno) -> OwnedFD {
        try pass(.makeEventCounter)
        return try base.makeEventCounter()
    }

    public func block(_ signals: SignalSet) throws(Errno) {
        try pass(.block)
        try base.block(signals)
    }

    public func ignore(_ signals: SignalSet) throws(Errno) {
        try pass(.ignore)
        try base.ignore(signals)
    }

    public func restore(_ signals: SignalSet) throws(Errno) {
        try pass(.restore)
        try base.restore(signals)
    }

    public func makeSignalFD(_ signals: SignalSet) throws(Errno) -> OwnedFD {
        try pass(.makeSignalFD)
        return try base.makeSignalFD(signals)
    }

    public func readSignal(_ fd: borrowing OwnedFD) throws(Errno) -> ReceivedSignal? {
        try pass(.readSignal)
        return try base.readSignal(fd)
    }
}
