import CNexus
public import SupervisorCore

/// Clocks and randomness.
public protocol ClockCalls {
    /// CLOCK_MONOTONIC.
    func monotonic() -> Instant
    /// CLOCK_REALTIME in nanoseconds since 1970; for showing only.
    func wallClock() -> Int64
    /// getrandom(2): fills the buffer.
    func random(into buffer: UnsafeMutableRawBufferPointer) throws(Errno)
}

// Each call is described at its requirement.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension LiveKernel {
    public func monotonic() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    public func wallClock() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    public func random(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) {
        guard let base = buffer.baseAddress else { return }
        var filled = 0
        while filled < buffer.count {
            let count = getrandom(base + filled, buffer.count - filled, 0)
            if count < 0 {
                if Errno.current == .interrupted { continue }
                throw Errno.current
            }
            filled += count
        }
    }
}
