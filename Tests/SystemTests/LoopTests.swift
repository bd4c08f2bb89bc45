import CNexus
import SupervisorCore
import System
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct LoopTests {
    let kernel = LiveKernel()

    private func put(_ text: String, into pipe: borrowing OwnedFD) throws {
        try kernel.writeAll(pipe, Array(text.utf8))
    }

    @Test func readyDescriptors_comeWithTheirTokens() throws {
        let poller = try Poller(kernel)
        let (a, b) = (Held(try kernel.makePipe(blocking: [])), Held(try kernel.makePipe(blocking: [])))
        let token: UInt64 = 0xFEDC_BA98_7654_3210
        try poller.add(a.pipe.read, token: 1)
        try poller.add(b.pipe.read, token: token)
        try poller.wait(atMost: .zero)
        #expect(poller.batch.count == 0)
        try put("x", into: b.pipe.write)
        try poller.wait()
        #expect(poller.batch.count == 1)
        #expect(poller.batch[0].token == token && poller.batch[0].events == .readable)
    }

    /// Two of what is not copyable.
    final class Held {
        let pipe: System.Pipe
        init(_ pipe: consuming System.Pipe) { self.pipe = pipe }
    }

    @Test func batch_isBoundedAndTheRestComesNext() throws {
        let poller = try Poller(kernel, capacity: 2)
        var pipes: [Held] = []
        for token in 0..<5 {
            let held = Held(try kernel.makePipe(blocking: []))
            try put("x", into: held.pipe.write)
            try poller.add(held.pipe.read, token: UInt64(token))
            pipes.append(held)
        }
        var seen: Set<UInt64> = []
        while seen.count < 5 {
            try poller.wait(atMost: .seconds(10))
            #expect(poller.batch.count <= 2)
            for index in 0..<poller.batch.count {
                let token = poller.batch[index].token
                seen.insert(token)
                poller.remove(pipes[Int(token)].pipe.read)
            }
        }
    }

    @Test func edge_isReportedOncePerChange() throws {
        let poller = try Poller(kernel)
        let pipe = try kernel.makePipe(blocking: [])
        try poller.add(pipe.read, token: 7, for: [.readable, .edgeTriggered])
        try put("half a line", into: pipe.write)
        try poller.wait(atMost: .seconds(10))
        #expect(poller.batch.count == 1)
        try poller.wait(atMost: .zero)
        #expect(poller.batch.count == 0)
        try put("more", into: pipe.write)
        try poller.wait(atMost: .seconds(10))
        #expect(poller.batch.count == 1)
    }

    @Test func removedDescriptor_isSilentThoughADuplicateLives() throws {
        let poller = try Poller(kernel)
        let pipe = try kernel.makePipe(blocking: [])
        let copy = try kernel.duplicate(pipe.read)
        try poller.add(pipe.read, token: 7)
        poller.remove(pipe.read)
        poller.remove(pipe.read)  // leaving twice is no error
        try put("x", into: pipe.write)
        try poller.wait(atMost: .zero)
        #expect(poller.batch.count == 0)
        #expect(try kernel.readableBytes(copy) == 1)
    }

    @Test func timer_firesAtItsInstant_alsoWhenThatIsPast() throws {
        var timer = try DeadlineTimer(kernel)
        let due = kernel.monotonic() + .milliseconds(20)
        try timer.set(to: due)
        #expect(try waitUntil(timer.fd))
        #expect(kernel.monotonic() >= due)
        try timer.acknowledge()
        #expect(timer.deadline == nil)
        try timer.set(to: Instant(nanoseconds: 0))
        #expect(try waitUntil(timer.fd))
        try timer.set(to: nil)
        #expect(try waitUntil(timer.fd, within: .zero) == false)
    }

    @Test func timer_setToTheSameInstant_makesNoSyscall() throws {
        let kernel = FaultyKernel()
        var timer = try DeadlineTimer(kernel)
        for _ in 0..<3 { try timer.set(to: Instant(nanoseconds: 1 << 60)) }
        #expect(kernel.counts[.setTimer] == 1)
    }

    @Test func signals_areReadWithTheirSender() async {
        await #expect(processExitsWith: .success) {
            let kernel = LiveKernel()
            let signals = try SignalSource(kernel, [.terminate, .user1])
            try #require(try signals.next() == nil)
            // To this thread: the testing library's other threads do not block it, as nexusd's only one does.
            try #require(raise(Signal.terminate.rawValue) == 0)
            try #require(try waitUntil(signals.fd))
            let received = try signals.next()
            try #require(received?.signal == .terminate && received?.sender == kernel.processID())
            try #require(try signals.next() == nil)
        }
    }

    @Test(arguments: [Errno.noMemory, .noSpace])
    func descriptorThatTheKernelHasNoRoomFor_isWatchedWhenThereIs(error: Errno) throws {
        let kernel = FaultyKernel()
        let poller = try Poller(kernel)
        let pipe = try kernel.makePipe(blocking: [])
        kernel.fault = FaultyKernel.Fault(.watch, nth: 1, forEver: true, error: error)
        try poller.add(pipe.read, token: 7)
        try put("x", into: pipe.write)
        try poller.wait()  // comes back although nothing is watched
        #expect(poller.batch.count == 0)
        kernel.fault = nil
        try poller.wait()
        #expect(poller.batch.count == 1 && poller.batch[0].token == 7)
    }

    @Test func setUp_failingAtEveryCall_leaksNothing() async {
        await #expect(processExitsWith: .success) {
            let leaks = try leaksDescriptors(over: 20) {
                let calls = try FaultyKernel.sweep(.tooManyOpen) { kernel in
                    do {
                        let poller = try Poller(kernel)
                        let timer = try DeadlineTimer(kernel)
                        let signals = try SignalSource(kernel, [.child])
                        try poller.add(timer.fd, token: 1)
                        try poller.add(signals.fd, token: 2)
                        let pipe = try kernel.makePipe(blocking: .write)
                        try poller.add(pipe.read, token: 3)
                    } catch let error as Errno {
                        try #require(error == .tooManyOpen)
                    }
                }
                try #require(calls >= 8)
            }
            try #require(!leaks)
        }
    }
}
