import SupervisorCore
import System
import Wire

/// log-writer's end of the log link.
///
/// An order is looked at, carried out, and taken out of the socket only when the files have what it says: whoever kills us
/// before leaves it there, and nexusd, which keeps this end too, gives it to the next log-writer.
///
/// Reports never block: what the socket does not take waits, and while much waits no orders are read, so that the wait is
/// bounded.
struct LinkPort: ~Copyable {
    /// Reports that may wait before orders are left unread.
    static let waitingLimit = 1024

    private let kernel: any LogKernel
    private let fd: OwnedFD
    private var waiting: [[UInt8]] = []
    /// No packet is longer: it has to fit into a socket's send buffer (net.core.wmem_max).
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 16)
    /// Packets that were looked at and are in the socket still.
    private(set) var unconfirmed = 0
    /// The kernel had no memory for the link (ENOMEM, ENOBUFS), which is ready all the same: until then it is left alone.
    private(set) var restsUntil: Instant?

    /// A confirmation was cut off by that.
    private var isOwed = false

    /// How long it is left alone.
    static let pause: Duration = .milliseconds(100)

    init(_ kernel: any LogKernel, _ fd: consuming OwnedFD) throws(Errno) {
        self.kernel = kernel
        try kernel.peekInTurn(fd)
        self.fd = fd
    }

    deinit { buffer.deallocate() }

    /// What one look at the link brought.
    enum Arrival: ~Copyable {
        case order(LogOrder, FDBundle)
        /// A packet that is none; what it was.
        case unreadable(String)
        case nothing
        /// nexusd is gone.
        case end
    }

    /// To be waited for; `wantsOrders` false: only for room for what waits.
    func request(wantsOrders: Bool) -> WaitRequest {
        if restsUntil != nil { return WaitRequest(fd, .none) }
        if !waiting.isEmpty { return WaitRequest(fd, .writable) }
        return WaitRequest(fd, wantsOrders ? .readable : .none)
    }

    /// True while so much waits that no orders may be read.
    var isCongested: Bool { waiting.count >= LinkPort.waitingLimit }

    /// Takes out of the socket what was looked at: it is carried out.
    mutating func confirm() {
        while unconfirmed > 0 {
            // Nobody else takes from this end, so each is there; its duplicate descriptors are closed here.
            do { _ = try kernel.receive(fd, into: buffer) } catch {
                // It is there still.
                isOwed = rest(after: error)
                if isOwed { return }
            }
            unconfirmed -= 1
        }
    }

    /// It is tried again; true when it was left alone before.
    mutating func resume(at now: Instant) -> Bool {
        guard let due = restsUntil, due <= now else { return false }
        restsUntil = nil
        if isOwed {
            isOwed = false
            confirm()
        }
        return true
    }

    /// True when memory was short, which passes.
    private mutating func rest(after error: Errno) -> Bool {
        guard error == .noMemory || error == .noBuffers else { return false }
        restsUntil = kernel.monotonic() + Self.pause
        return true
    }

    /// Looks at the next order. Descriptors beside it that nobody takes are closed with the bundle.
    mutating func next() -> Arrival {
        do {
            let message = try kernel.peek(fd, into: buffer)
            if message.count == 0 { return .end }
            unconfirmed += 1
            if message.truncated || message.descriptorsLost {
                return .unreadable("a packet was longer than a frame, or lost its descriptors")
            }
            let packet = Array(UnsafeRawBufferPointer(rebasing: buffer[..<message.count]))
            do {
                return .order(try LogOrder(packet: packet), message.descriptors)
            } catch {
                return .unreadable("a packet of \(packet.count) bytes is no order: \(error.problem) at \(error.offset)")
            }
        } catch  where error == .again {
            return .nothing
        } catch {
            return rest(after: error) ? .nothing : .end
        }
    }

    /// Says something to nexusd.
    mutating func send(_ report: LogReport) {
        waiting.append(report.packet())
        flush()
    }

    /// Sends what waits, as far as the socket takes it.
    mutating func flush() {
        while let packet = waiting.first {
            do {
                _ = try packet.withUnsafeBufferPointer { bytes throws(Errno) in
                    try kernel.send(fd, UnsafeRawBufferPointer(bytes), passing: [], to: nil)
                }
                waiting.removeFirst()
            } catch  where error == .again {
                return
            } catch {
                if rest(after: error) { return }
                // nexusd is gone: the end of the link says so, and nobody is left to tell.
                waiting = []
            }
        }
    }
}
