import Foundation
import Glibc
import SupervisorCore
import Wire

/// Plays nexusd for tests: real pipes, one thread with poll(2), all decisions by the router, as in the real shell.
final class BusShell: @unchecked Sendable {
    // @unchecked: everything mutable is touched only with `lock` held.
    private let lock = NSLock()
    private var router: Router
    private var ends: [PeerID: (read: Int32, write: Int32, isFull: Bool)] = [:]
    /// Links that are not written to for now.
    private var held: Set<PeerID> = []
    private var isRunning = true
    private let wake: (read: Int32, write: Int32)
    private let feed: AsyncStream<BusDecision>.Continuation
    /// What the router left to its shell, in order.
    let decisions: AsyncStream<BusDecision>

    init(_ workers: [Router.Worker]) throws {
        signal(SIGPIPE, SIG_IGN)
        router = Router(workers: workers)
        wake = try BusShell.makePipe()
        (decisions, feed) = AsyncStream.makeStream()
        let thread = Thread { [self] in run() }
        thread.start()
    }

    /// Held while pipes are made and while a child is spawned: Glibc's module has no pipe2(2), and an end that a child
    /// of another test inherits by chance would keep the end of the file away from its reader.
    static let descriptors = NSLock()

    static func makePipe() throws -> (read: Int32, write: Int32) {
        var fds: [Int32] = [0, 0]
        return try descriptors.withLock {
            guard pipe(&fds) == 0 else { throw POSIXError(.EMFILE) }
            for fd in fds { _ = fcntl(fd, F_SETFD, FD_CLOEXEC) }
            return (fds[0], fds[1])
        }
    }

    /// Fresh pipes for a run of this worker; returns the worker's ends.
    func connect(_ peer: PeerID) throws -> (read: Int32, write: Int32) {
        let toWorker = try BusShell.makePipe()
        let fromWorker = try BusShell.makePipe()
        for fd in [toWorker.write, fromWorker.read] { _ = fcntl(fd, F_SETFL, O_NONBLOCK) }
        act { router in
            router.workerUp(peer, at: BusShell.now())
            ends[peer] = (fromWorker.read, toWorker.write, false)
        }
        return (toWorker.read, fromWorker.write)
    }

    /// Ends a link as nexusd does: the worker reads the end of its file.
    func disconnect(_ peer: PeerID) {
        act { router in
            router.linkDown(peer, at: BusShell.now())
            close(peer)
        }
    }

    func drain(_ peer: PeerID) { act { $0.drain(peer) } }
    func setValues(_ values: [String: String], for peer: PeerID) { act { $0.setValues(values, for: peer) } }
    func replaceWorkers(_ workers: [Router.Worker]) { act { $0.replaceWorkers(workers) } }
    func reply(_ id: FrameID, _ json: [UInt8]) { act { $0.reply(id, json) } }
    func stream(_ id: FrameID, _ json: [UInt8]) { act { _ = $0.stream(id, json) } }
    func endStream(_ id: FrameID) { act { $0.endStream(id) } }
    /// Until `release`, this worker's pipe is as good as full.
    func hold(_ peer: PeerID) { act { _ in held.insert(peer) } }

    func release(_ peer: PeerID) {
        lock.withLock {
            held.remove(peer)
            write(peer)
        }
        act { _ in }
    }

    var openRequests: Int { lock.withLock { router.openCount } }

    /// Ends the thread and every link.
    func stop() {
        act { _ in
            isRunning = false
            for peer in Array(ends.keys) { close(peer) }
        }
    }

    // MARK: - The loop

    private static func now() -> Instant {
        Instant(nanoseconds: Int64(DispatchTime.now().uptimeNanoseconds))
    }

    private func act(_ body: (inout Router) -> Void) {
        lock.withLock { body(&router) }
        _ = Glibc.write(wake.write, [0], 1)
    }

    private func run() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let entries = lock.withLock { () -> [(PeerID?, pollfd)]? in
                guard isRunning else { return nil }
                settle()
                return polled()
            }
            guard let entries else { return feed.finish() }
            var fds = entries.map(\.1)
            poll(&fds, nfds_t(fds.count), 20)
            lock.withLock {
                for ((peer, _), fd) in zip(entries, fds) where fd.revents != 0 {
                    if let peer {
                        handle(peer, fd, buffer)
                    } else {
                        _ = Glibc.read(wake.read, buffer.baseAddress, 4096)
                    }
                }
                router.tick(BusShell.now())
            }
        }
    }

    private func polled() -> [(PeerID?, pollfd)] {
        var entries: [(PeerID?, pollfd)] = [(nil, pollfd(fd: wake.read, events: Int16(POLLIN), revents: 0))]
        for (peer, end) in ends {
            entries.append((peer, pollfd(fd: end.read, events: Int16(POLLIN), revents: 0)))
            if end.isFull { entries.append((peer, pollfd(fd: end.write, events: Int16(POLLOUT), revents: 0))) }
        }
        return entries
    }

    private func handle(_ peer: PeerID, _ fd: pollfd, _ buffer: UnsafeMutableRawBufferPointer) {
        guard let end = ends[peer], fd.fd == end.read || fd.fd == end.write else { return }
        if fd.fd == end.write { return write(peer) }
        let count = Glibc.read(end.read, buffer.baseAddress, buffer.count)
        if count > 0 {
            router.received(UnsafeRawBufferPointer(rebasing: buffer[..<count]), from: peer, at: BusShell.now())
        } else if count == 0 || errno != EAGAIN {
            router.linkDown(peer, at: BusShell.now())
            close(peer)
        }
    }

    private func settle() {
        for decision in router.takeDecisions() {
            if case .endLink(let peer, _) = decision { close(peer) }
            feed.yield(decision)
        }
        // What is written may answer a ping: until nobody has anything new to read.
        while case let peers = router.takeWritable(), !peers.isEmpty {
            for peer in peers where ends[peer]?.isFull == false { write(peer) }
        }
    }

    private func write(_ peer: PeerID) {
        guard let fd = ends[peer]?.write, !held.contains(peer) else { return }
        let isLeft = router.flush(peer, at: BusShell.now()) { bytes in
            max(0, Glibc.write(fd, bytes.baseAddress, bytes.count))
        }
        ends[peer]?.isFull = isLeft
    }

    private func close(_ peer: PeerID) {
        guard let end = ends.removeValue(forKey: peer) else { return }
        _ = Glibc.close(end.read)
        _ = Glibc.close(end.write)
    }
}

extension Router.Worker {
    init(_ number: UInt16, _ name: String, peers: [UInt16] = []) {
        self.init(
            peer: PeerID(rawValue: number), name: name, peers: Set(peers.map { PeerID(rawValue: $0) }))
    }
}
