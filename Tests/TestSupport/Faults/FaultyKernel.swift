public import SupervisorCore
import Synchronization
public import System

/// A kernel in which the N-th call fails, once or for ever: the loop "N = 1, 2, … until nothing is met any more" shows
/// that every call may fail at every place without a leak or a trap. Everything else is the real kernel.
public final class FaultyKernel: LogKernel, LogReadingKernel {
    /// What fails.
    public struct Fault: Hashable, Sendable {
        /// Which call; nil: any.
        public var call: Call?
        /// The first one that fails, from 1.
        public var nth: Int
        /// Whether all later ones fail too.
        public var forEver: Bool
        /// How.
        public var error: Errno
        /// Only calls that can answer this error (`Call.errnos`) count and fail.
        public var plausibly: Bool

        /// All of it.
        public init(
            _ call: Call? = nil, nth: Int, forEver: Bool = false, error: Errno, plausibly: Bool = false
        ) {
            self.call = call
            self.nth = nth
            self.forEver = forEver
            self.error = error
            self.plausibly = plausibly
        }

        func concerns(_ call: Call, _ errnos: [Errno]) -> Bool {
            (self.call == nil || self.call == call) && (!plausibly || errnos.contains(error))
        }
    }

    /// A process that was started, by what its environment says of it.
    public struct Start: Hashable, Sendable {
        /// NEXUS_CHILD and NEXUS_RUN_ID; empty where there are none.
        public let child, run: String
        /// Its number.
        public let process: ProcessID
    }

    private struct State {
        var fault: Fault?
        var counts: [Call: Int] = [:]
        var places: [Errno: Int] = [:]
        var failures: [Call] = []
        var met = 0
        var starts: [Start] = []
        var longestWait: Int32?
        var executable: String?
        var succession: (@Sendable ([String]) -> Never)?
        var happening: (calls: Int, happens: @Sendable () -> Void)?
    }
    private let state = Mutex(State())
    let base = LiveKernel()

    /// No fault yet.
    public init(_ fault: Fault? = nil) { self.fault = fault }

    /// The fault in force; its count begins when it is set.
    public var fault: Fault? {
        get { state.withLock { $0.fault } }
        set {
            state.withLock {
                $0.fault = newValue
                $0.met = 0
            }
        }
    }
    /// How many calls so far could have answered an error.
    public var places: [Errno: Int] { state.withLock { $0.places } }
    /// Calls made so far, by kind.
    public var counts: [Call: Int] { state.withLock { $0.counts } }
    /// Calls that were made to fail.
    public var failures: Int { failed.count }
    /// Which ones, in order.
    public var failed: [Call] { state.withLock { $0.failures } }
    /// Every process that was started, in order.
    public var starts: [Start] { state.withLock { $0.starts } }
    /// A wait ends after this many milliseconds as if a signal had come; nil: as the caller said.
    public var longestWait: Int32? {
        get { state.withLock { $0.longestWait } }
        set { state.withLock { $0.longestWait = newValue } }
    }
    /// What `/proc/self/exe` is said to be: companions of the program are looked for beside it.
    public var executable: String? {
        get { state.withLock { $0.executable } }
        set { state.withLock { $0.executable = newValue } }
    }

    /// What an execve comes to, by the environment that the next program would have; nil: none succeeds.
    public var succession: (@Sendable (_ environment: [String]) -> Never)? {
        get { state.withLock { $0.succession } }
        set { state.withLock { $0.succession = newValue } }
    }

    /// Has something happen once before the N-th call from now on, from 1: what another process does meanwhile.
    public func meanwhile(beforeCall nth: Int, _ happens: @escaping @Sendable () -> Void) {
        state.withLock { $0.happening = (nth, happens) }
    }

    private func letHappen() {
        let happens: (@Sendable () -> Void)? = state.withLock { state in
            state.happening?.calls -= 1
            guard let next = state.happening, next.calls == 0 else { return nil }
            state.happening = nil
            return next.happens
        }
        happens?()
    }

    /// Counts a call and fails it when its turn has come. `errnos`: what it can answer here.
    func pass(_ call: Call, _ errnos: [Errno]) throws(Errno) {
        letHappen()
        let error: Errno? = state.withLock { state in
            state.counts[call, default: 0] += 1
            for error in errnos { state.places[error, default: 0] += 1 }
            guard let fault = state.fault, fault.concerns(call, errnos) else { return nil }
            state.met += 1
            guard state.met == fault.nth || (fault.forEver && state.met > fault.nth) else { return nil }
            state.failures.append(call)
            return fault.error
        }
        if let error { throw error }
    }

    func pass(_ call: Call) throws(Errno) { try pass(call, call.errnos) }

    /// A path: what lies in /proc or /sys is on no disk and needs no rights that could go away.
    func pass(_ call: Call, at path: String, reads: Bool = false) throws(Errno) {
        let isKernels = path.hasPrefix("/proc/") || path.hasPrefix("/sys/") || path.hasPrefix("/dev/")
        let never: [Errno] = isKernels ? Call.ofDisks : reads ? Call.ofFullDisks : []
        try pass(call, call.errnos.filter { !never.contains($0) })
    }

    /// A descriptor: only what is on a disk fails as disks do, and only others have another end.
    func pass(_ call: Call, on fd: borrowing OwnedFD) throws(Errno) {
        let never: [Errno] =
            switch try? base.status(fd).kind {
            case .regular: (isKernels(fd.raw) ? Call.ofDisks : []) + [.brokenPipe]
            case .pipe, .socket: Call.ofDisks
            case .directory, .symbolicLink, .other, nil: Call.ofDisks + [.brokenPipe]
            }
        try pass(call, call.errnos.filter { !never.contains($0) })
    }

    private func isKernels(_ raw: Int32) -> Bool {
        let path = (try? base.readLink("/proc/self/fd/\(raw)")) ?? ""
        return path.hasPrefix("/proc/") || path.hasPrefix("/sys/") || path.hasPrefix("/dev/")
    }

    /// Writes down what was started.
    func began(_ image: SpawnImage, _ process: ProcessID) {
        func value(_ name: String) -> String {
            image.environment.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) } ?? ""
        }
        let start = Start(
            child: value("NEXUS_CHILD"), run: value("NEXUS_RUN_ID"), process: process)
        state.withLock { $0.starts.append(start) }
    }

    /// Runs `body` with the first, second, third … call failing, until a run meets no fault any more. Returns how many
    /// calls there were to fail.
    @discardableResult
    public static func sweep(
        _ error: Errno, forEver: Bool = false, limit: Int = 1000, _ body: (FaultyKernel) throws -> Void
    ) rethrows -> Int {
        for nth in 1...limit {
            let kernel = FaultyKernel(Fault(nth: nth, forEver: forEver, error: error))
            try body(kernel)
            if kernel.failures == 0 { return nth - 1 }
        }
        return limit
    }
}

// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension FaultyKernel {
    public func monotonic() -> Instant { base.monotonic() }

    public func wallClock() -> Int64 { base.wallClock() }

    public func random(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) {
        try pass(.random)
        try base.random(into: buffer)
    }
}
