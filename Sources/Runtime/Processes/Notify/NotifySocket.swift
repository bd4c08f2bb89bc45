public import System

/// The NOTIFY_SOCKET of one child: a datagram socket in `notify/`, bound before the first spawn, that only the child's
/// uid may write to. Messages count by the sender's uid, which the kernel vouches for. Where that says too little, because
/// others have the uid too or it is root's, `isForeign` is asked about the sender's pid; it can only tell while the
/// sender is there, so one that is already gone is heard.
public final class NotifySocket {
    /// To be watched for `readable`.
    public let fd: OwnedFD
    /// The value of NOTIFY_SOCKET.
    public let path: String
    /// Whether a process is known to belong to something else than the child's run; asked once for a row of messages.
    public var isForeign: ((ProcessID) -> Bool)?
    /// Nobody else has the child's uid: it says enough.
    public var isUserItsOwn = false
    /// Messages refused since the start: wrong uid, foreign, or longer than 4 KiB.
    public private(set) var refused: UInt64 = 0
    /// Called with each of them that `isForeign` did not judge.
    public var refuses: ((Refusal) -> Void)?

    /// Why a whole message is not heard.
    public enum Refusal: Hashable, Sendable {
        /// It is longer than `messageLimit`.
        case tooLong
        /// Its sender has this uid, which is neither the child's, nor root's, nor nexusd's.
        case foreignUser(UInt32)
    }

    /// The message at the front came with descriptors: it was heard, a thread lets go of it, and what is behind it waits. The
    /// number of that order.
    public private(set) var heldBy: UInt64?
    /// The same, but there is no thread for it yet: it stays where it is, and was not heard.
    public private(set) var awaitsRoom = false

    private let kernel: any Kernel
    private let disposal: Disposal
    private let user: UInt32
    private let supervisor: UInt32
    /// The last sender that was no stranger.
    private var known: ProcessID?

    /// Longest message, bytes; what is longer is refused.
    public static let messageLimit = 4096
    /// Messages one child may have heard in one turn of the loop; the rest waits in the socket, then in the sender.
    public static let turnLimit = 32
    /// Messages read before a child is reaped: more than a socket queues (net.unix.max_dgram_qlen is 512 at most in
    /// practice), and still an end.
    public static let finalLimit = 1024

    /// Binds `directory/CHILD.sock`, mode 0600, for this uid. What an earlier nexusd left there is replaced.
    public init(
        _ kernel: any Kernel, _ disposal: Disposal, directory: String, child: String, user: UInt32, group: UInt32
    ) throws(Errno) {
        self.kernel = kernel
        self.disposal = disposal
        self.user = user
        supervisor = kernel.userID()
        path = directory + "/" + child + ".sock"
        fd = try kernel.makeSocket(.unix, .datagram)
        try kernel.passCredentials(fd)
        do { try kernel.removeFile(path) } catch  where error == .noEntry {}
        try kernel.bind(fd, to: .path(path))
        // The directory is nexusd's own, so nobody can put a link here between these calls.
        try kernel.changeMode(path, to: 0o600)
        if user != supervisor { try kernel.changeOwner(path, user: user, group: group) }
    }

    /// One that this process has bound already, with what is unread in it.
    init(
        _ kernel: any Kernel, _ disposal: Disposal, directory: String, child: String, user: UInt32,
        taking fd: consuming OwnedFD
    ) {
        self.kernel = kernel
        self.disposal = disposal
        self.user = user
        supervisor = kernel.userID()
        path = directory + "/" + child + ".sock"
        self.fd = fd
    }

    /// Nothing is read for now, so it is not to be watched.
    public var isBlocked: Bool { heldBy != nil || awaitsRoom }

    /// This order is done, and with it there is room again. True when the socket is to be read again.
    public func goOn(after number: UInt64) -> Bool {
        guard heldBy == number || awaitsRoom else { return false }
        if heldBy == number { heldBy = nil }
        awaitsRoom = false
        return heldBy == nil
    }

    /// Hears at most `limit` messages, in order. True when there may be more.
    public func receive(atMost limit: Int = turnLimit, _ hear: (NotifyWord) -> Void) -> Bool {
        for _ in 0..<limit where !receiveOne(hear) { return false }
        return true
    }

    /// Hears everything that is there; to be called before the child is reaped, so that what it said last counts.
    public func receiveAll(_ hear: (NotifyWord) -> Void) { _ = receive(atMost: Self.finalLimit, hear) }

    /// Forgets what a former run still had to say; to be called before a spawn.
    public func discardPending() {
        receiveAll { _ in }
        known = nil
    }

    /// The socket goes, with what nobody has read in it; to be called in the turn in which this object goes.
    public func abandon() {
        remove()
        disposal.close(fd)
    }

    /// The file goes; to be called when the child leaves the plan or nexusd ends.
    public func remove() { try? kernel.removeFile(path) }

    /// False when nothing is there, or not to be read now. Descriptors that come along are never received: closing one may
    /// take as long as its sender likes. Such a message is heard, then a thread takes it, and reading goes on behind it. For a
    /// barrier (sd_notify_barrier(3)), whose sender waits for the close, everything before it is heard by then.
    private func receiveOne(_ hear: (NotifyWord) -> Void) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: Self.messageLimit, alignment: 16) { receiveOne(into: $0, hear) }
    }

    private func isOwn(_ sender: Credentials) -> Bool {
        if isUserItsOwn, sender.user == user { return true }
        guard let isForeign, sender.process != known else { return true }
        if isForeign(sender.process) { return false }
        known = sender.process
        return true
    }

    private func receiveOne(into buffer: UnsafeMutableRawBufferPointer, _ hear: (NotifyWord) -> Void) -> Bool {
        guard !isBlocked else { return false }
        do {
            let message = try kernel.look(fd, into: buffer, credentials: true)
            if message.descriptorsLost {
                heldBy = disposal.dropMessage(of: fd)
                awaitsRoom = heldBy == nil
                if awaitsRoom { return false }
            } else {
                // The same message again: nobody else reads here.
                _ = try kernel.receive(fd, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<0]))
            }
            judge(message, buffer, hear)
            return heldBy == nil
        } catch {
            // EAGAIN; and ENOBUFS or ENOMEM, when the next turn asks again because the socket stays readable.
            return false
        }
    }

    private func judge(
        _ message: borrowing ReceivedMessage, _ buffer: UnsafeMutableRawBufferPointer, _ hear: (NotifyWord) -> Void
    ) {
        guard let sender = message.sender else { return refused += 1 }
        guard sender.user == user || sender.user == 0 || sender.user == supervisor else {
            return refuse(.foreignUser(sender.user))
        }
        guard isOwn(sender) else { return refused += 1 }
        if message.truncated { return refuse(.tooLong) }
        let words = NotifyWord.parse(buffer[..<message.count], hadDescriptors: message.descriptorsLost)
        for word in words { hear(word) }
    }

    private func refuse(_ why: Refusal) {
        refused += 1
        refuses?(why)
    }
}
