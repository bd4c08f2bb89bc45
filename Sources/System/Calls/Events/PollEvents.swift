import CNexus
public import SupervisorCore

/// What a descriptor is watched for, and what it is ready for.
public struct PollEvents: OptionSet, Hashable, Sendable {
    /// EPOLL* bits.
    public let rawValue: UInt32

    /// Wraps EPOLL* bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// EPOLLIN: bytes, a connection, an ended process, an expired timer, a signal.
    public static let readable = PollEvents(rawValue: EPOLLIN.rawValue)
    /// EPOLLOUT: room, or a finished connect.
    public static let writable = PollEvents(rawValue: EPOLLOUT.rawValue)
    /// EPOLLPRI: a change of cgroup.events.
    public static let priority = PollEvents(rawValue: EPOLLPRI.rawValue)
    /// EPOLLHUP: every other end is gone; always reported.
    public static let hangUp = PollEvents(rawValue: EPOLLHUP.rawValue)
    /// EPOLLRDHUP: the other end of a stream will send no more.
    public static let peerHangUp = PollEvents(rawValue: EPOLLRDHUP.rawValue)
    /// EPOLLERR; always reported.
    public static let error = PollEvents(rawValue: EPOLLERR.rawValue)
    /// EPOLLET: reported once per change.
    public static let edgeTriggered = PollEvents(rawValue: EPOLLET.rawValue)
}

/// One descriptor that is ready.
public struct PollEvent: Hashable, Sendable {
    /// The caller's token, a generation inside: an event for something closed meanwhile must be recognised.
    public let token: UInt64
    /// What it is ready for.
    public let events: PollEvents
}

/// Memory for one turn's events, used again and again.
public final class PollBatch {
    /// Events one wait can bring.
    public let capacity: Int
    /// Events the last wait brought.
    public internal(set) var count = 0
    let storage: UnsafeMutablePointer<epoll_event>

    /// 64 keeps one turn short; what did not fit comes with the next.
    public init(capacity: Int = 64) {
        self.capacity = capacity
        storage = .allocate(capacity: capacity)
        storage.initialize(repeating: epoll_event(), count: capacity)
    }

    deinit { storage.deallocate() }

    /// The n-th event, below `count`.
    public subscript(index: Int) -> PollEvent {
        precondition(index < count, "events are read only up to the count of the last wait")
        return PollEvent(token: storage[index].data.u64, events: PollEvents(rawValue: storage[index].events))
    }
}

/// A set of signals.
public struct SignalSet: Hashable, Sendable, ExpressibleByArrayLiteral {
    /// Bit n-1 is signal n.
    public private(set) var rawValue: UInt64 = 0

    /// These signals.
    public init(arrayLiteral signals: Signal...) {
        for signal in signals { insert(signal) }
    }

    /// One more.
    public mutating func insert(_ signal: Signal) { rawValue |= 1 << UInt64(signal.rawValue - 1) }

    /// Without those of another set.
    public func subtracting(_ other: SignalSet) -> SignalSet {
        var rest = self
        rest.rawValue &= ~other.rawValue
        return rest
    }

    /// Whether it is in the set.
    public func contains(_ signal: Signal) -> Bool { rawValue >> UInt64(signal.rawValue - 1) & 1 == 1 }
}

extension SignalSet {
    /// Signals that end a process which did not ask for them (signal(7)) and tell it of no fault of its own: USR1, USR2,
    /// PIPE, ALRM, STKFLT, VTALRM, PROF, IO, PWR and the real-time ones that are not glibc's own.
    static let strays: SignalSet = {
        var set: SignalSet = []
        for number: Int32 in [10, 12, 13, 14, 16, 26, 27, 29, 30] { set.insert(Signal(rawValue: number)) }
        for number: Int32 in 34...64 { set.insert(Signal(rawValue: number)) }
        return set
    }()
}

extension Signal {
    /// SIGHUP.
    public static let hangUp = Signal(rawValue: 1)
    /// SIGINT.
    public static let interrupt = Signal(rawValue: 2)
    /// SIGQUIT.
    public static let quit = Signal(rawValue: 3)
    /// SIGRTMIN+3: what systemd-nspawn and Podman send a container that has systemd for its init (systemd(1): halt).
    public static let halt = Signal(rawValue: 37)
    /// SIGABRT.
    public static let abort = Signal(rawValue: 6)
    /// SIGXCPU: the soft limit of processor time is used up.
    public static let processorTimeExceeded = Signal(rawValue: 24)
    /// SIGXFSZ: a file would have grown above the limit.
    public static let fileSizeExceeded = Signal(rawValue: 25)
    /// SIGUSR1.
    public static let user1 = Signal(rawValue: 10)
    /// SIGUSR2.
    public static let user2 = Signal(rawValue: 12)
    /// SIGPIPE.
    public static let pipe = Signal(rawValue: 13)
    /// SIGCHLD.
    public static let child = Signal(rawValue: 17)
    /// SIGCONT.
    public static let `continue` = Signal(rawValue: 18)
    /// SIGSTOP.
    public static let stop = Signal(rawValue: 19)
    /// SIGPWR; a container's manager may ask PID 1 to end with it.
    public static let power = Signal(rawValue: 30)
}

/// A signal that was taken out of a signalfd.
public struct ReceivedSignal: Hashable, Sendable {
    /// Which.
    public let signal: Signal
    /// Who sent it, as the kernel says; 0 for the kernel itself.
    public let sender: ProcessID
    /// The sender's real uid.
    public let user: UInt32
}
