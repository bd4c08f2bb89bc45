import CNexus
import Synchronization
import System

/// A queue into one thread, with a descriptor that becomes readable when something came. The wake-up costs a syscall only
/// when the receiver said that it is about to wait.
final class Mailbox<Message: Sendable>: Sendable {
    private struct State {
        var messages: [Message] = []
        var weight = 0
        /// The receiver is about to wait: for anything, or for what is urgent only.
        var waits = Waiting.no
    }

    private enum Waiting {
        case no, forAnything, forUrgent
    }

    private let state = Mutex(State())
    private let kernel: any LogKernel
    private let bell: OwnedFD

    init(_ kernel: any LogKernel) throws(Errno) {
        self.kernel = kernel
        bell = try kernel.makeEventCounter()
    }

    /// All that both threads touch is touched in here.
    private func locked<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        let lock = Unmanaged.passUnretained(self).toOpaque()
        return state.withLock { state in
            nexus_sanitizer_acquired(lock)
            defer { nexus_sanitizer_releases(lock) }
            return body(&state)
        }
    }

    /// What was sent and not answered with `discharge` yet; what it counts is the sender's choice (bytes, usually).
    var weight: Int { locked { $0.weight } }

    /// Appends a message. The caller bounds the weight; the mailbox itself never refuses. One that is not urgent wakes only
    /// a receiver that waits for anything.
    func send(_ message: Message, weight: Int = 0, isUrgent: Bool = true) {
        let wake = locked { state in
            state.messages.append(message)
            state.weight += weight
            guard state.waits == .forAnything || (isUrgent && state.waits == .forUrgent) else { return false }
            state.waits = .no
            return true
        }
        guard wake else { return }
        var one: UInt64 = 1
        // An event counter takes 2^64-2 before it would block: this cannot fail.
        withUnsafeBytes(of: &one) { _ = try? kernel.write(bell, $0) }
    }

    /// Says that a message is done with.
    func discharge(_ weight: Int) {
        locked { $0.weight -= weight }
    }

    /// Everything there is, in order.
    func takeAll() -> [Message] { takeAll(beforeWaiting: false) }

    /// With nothing there the next `send` rings the bell.
    private func takeAll(beforeWaiting: Bool) -> [Message] {
        locked { state in
            state.waits = beforeWaiting && state.messages.isEmpty ? .forAnything : .no
            defer { state.messages = [] }
            return state.messages
        }
    }

    /// True when there is something to take. If not, the next `send` rings the bell; with `urgentOnly` the next one that is
    /// urgent does.
    func hasMessages(urgentOnly: Bool) -> Bool {
        locked { state in
            state.waits = !state.messages.isEmpty ? .no : urgentOnly ? .forUrgent : .forAnything
            return !state.messages.isEmpty
        }
    }

    /// To be waited for by the receiver's own wait, after `hasMessages` said no.
    var request: WaitRequest { WaitRequest(bell, .readable) }

    /// Takes the ringing back.
    func silence() {
        var count: UInt64 = 0
        withUnsafeMutableBytes(of: &count) { _ = try? kernel.read(bell, into: $0) }
    }

    /// Everything there is; waits for something, or for another descriptor, at most this long.
    func receive(atMost limit: Duration?, or other: WaitRequest? = nil) -> [Message] {
        let messages = takeAll(beforeWaiting: true)
        guard messages.isEmpty else { return messages }
        var requests = [request]
        if let other { requests.append(other) }
        try? kernel.wait(for: &requests, atMost: limit)
        if requests[0].isReady { silence() }
        return takeAll()
    }
}
