import CNexus
import Glibc
public import SupervisorCore

/// Lets go of what others have a hand in, in threads of its own, so that no loop waits for it.
///
/// The last close(2) of a file may take as long as whoever made it likes: a TCP socket with SO_LINGER waits for its peer
/// (socket(7)), a file system in user space for its server. The kernel closes so, in the context of whoever reads or closes,
/// also what came by SCM_RIGHTS and nobody took. Each order is one short-lived thread; while nobody sends descriptors there
/// is none, and no descriptor is open for it.
public final class Disposal {
    /// Threads at a time.
    public static let limit = 64
    /// Before a thread that could not be started is tried again.
    public static let pause: Duration = .milliseconds(100)

    /// What one thread does. Descriptors are duplicates that the thread closes last of all.
    private enum Order: Sendable {
        case drop(Int32)
        case close(Int32)
        case clear(String)
    }

    private let kernel: any Kernel
    private var waiting: [(order: Order, number: UInt64)] = []
    private var running = 0
    private var count: UInt64 = 0
    /// Where threads say that they are done, eight bytes each: its buffer has room for all of them.
    private var reportsIn: OwnedFD?
    private var reportsOut: OwnedFD?
    /// When `begin` is to be called again.
    public private(set) var retryAt: Instant?

    /// Nothing is started or opened yet.
    public init(_ kernel: any Kernel) { self.kernel = kernel }

    /// All threads are taken: who can wait has to.
    public var isFull: Bool { running + waiting.count >= Self.limit }

    /// Orders that wait for a thread.
    public var backlog: Int { waiting.count }

    /// No thread is at work, and none is to be.
    public var isIdle: Bool { running == 0 && waiting.isEmpty }

    /// Takes the next message from a socket and drops it with its descriptors. The number by which it is told to be done;
    /// nil: there is no room, and the message stays.
    public func dropMessage(of socket: borrowing OwnedFD) -> UInt64? {
        guard !isFull, let copy = try? kernel.duplicate(socket) else { return nil }
        return add(.drop(copy.release()))
    }

    /// Takes part in a socket, so that the close that counts is a thread's; the caller closes its own in this turn.
    public func close(_ socket: borrowing OwnedFD) {
        guard let copy = try? kernel.duplicate(socket) else { return }
        _ = add(.close(copy.release()))
    }

    /// The same for a connection, where it is needed: nobody can send to it any more, and something is unread.
    public func closeIfUnread(_ connection: borrowing OwnedFD) {
        try? kernel.shutdownReceiving(connection)
        if let bytes = try? kernel.readableBytes(connection), bytes > 0 { close(connection) }
    }

    /// Removes a directory with everything in it.
    public func clear(_ directory: String) { _ = add(.clear(directory)) }

    /// Starts what was ordered; to be called at the end of a turn, when the caller has closed its own.
    public func begin(with poller: borrowing Poller, token: UInt64, at now: Instant) {
        retryAt = nil
        while !waiting.isEmpty, running < Self.limit {
            do throws(Errno) {
                let reports = try openReports(poller, token)
                let (order, number) = waiting[0]
                try NativeThread.start("nexusd-disposal") { Self.carryOut(order, number, reports) }
                waiting.removeFirst()
                running += 1
            } catch {
                retryAt = now + Self.pause
                return
            }
        }
    }

    /// Numbers of orders that are done.
    public func takeReports() -> [UInt64] {
        var numbers = [UInt64](repeating: 0, count: Self.limit)
        var bytes = 0
        switch reportsIn {
        case .some(let reports): bytes = numbers.withUnsafeMutableBytes { (try? kernel.read(reports, into: $0)) ?? 0 }
        case .none: break
        }
        let done = Array(numbers[..<(bytes / MemoryLayout<UInt64>.size)])
        running -= done.count
        return done
    }

    private func add(_ order: Order) -> UInt64 {
        count += 1
        waiting.append((order, count))
        return count
    }

    /// Writes from the threads; both ends stay open for the life of nexusd once there are any.
    private func openReports(_ poller: borrowing Poller, _ token: UInt64) throws(Errno) -> Int32 {
        switch reportsOut {
        case .some(let reports): return reports.raw
        case .none: break
        }
        let pipe = try kernel.makePipe(blocking: [])
        try poller.add(pipe.read, token: token)
        let raw = pipe.write.raw
        reportsIn = consume pipe.read
        reportsOut = consume pipe.write
        return raw
    }

    /// In a thread: nothing here is shared but the descriptor, and nothing is asked of `Kernel`.
    private static func carryOut(_ order: Order, _ number: UInt64, _ reports: Int32) {
        switch order {
        case .drop(let socket):
            _ = nexus_drop_message(socket)
            _ = Glibc.close(socket)
        case .close(let socket): _ = Glibc.close(socket)
        case .clear(let directory): _ = nexus_clear_directory(directory, 1 << 24)
        }
        var number = number
        _ = Glibc.write(reports, &number, MemoryLayout<UInt64>.size)
    }
}
