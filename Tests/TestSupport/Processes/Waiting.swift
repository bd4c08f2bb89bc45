public import SupervisorCore
public import System

/// Waits until a descriptor is ready for one of `events`; false when the time is up.
public func waitUntil(
    _ fd: borrowing OwnedFD, is events: PollEvents = .readable, within limit: Duration = .seconds(20)
) throws(Errno) -> Bool {
    let kernel = LiveKernel()
    let poller = try Poller(kernel, capacity: 1)
    try poller.add(fd, token: 0, for: events)
    let end = kernel.monotonic() + limit
    while kernel.monotonic() < end {
        try poller.wait(atMost: end - kernel.monotonic())
        if poller.batch.count > 0 { return true }
    }
    return false
}

/// Waits for the end of a child and reaps it; nil when it goes on for longer than `limit`.
public func waitForExit(_ spawned: borrowing Spawned, within limit: Duration = .seconds(20)) throws(Errno) -> Exit? {
    guard try waitUntil(spawned.pidfd, within: limit) else { return nil }
    return try LiveKernel().reap(spawned.process)?.exit
}

/// Everything that comes out of a pipe until its end, at most 1 MiB.
public func readToEnd(_ fd: borrowing OwnedFD, within limit: Duration = .seconds(20)) throws(Errno) -> [UInt8] {
    let kernel = LiveKernel()
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while all.count < 1 << 20 {
        guard try waitUntil(fd, within: limit) else { return all }
        let count = try chunk.withUnsafeMutableBufferPointer { buffer throws(Errno) in
            try kernel.read(fd, into: UnsafeMutableRawBufferPointer(buffer))
        }
        if count == 0 { return all }
        all += chunk[..<count]
    }
    return all
}
