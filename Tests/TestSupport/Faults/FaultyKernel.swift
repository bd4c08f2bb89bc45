public import SupervisorCore
public import System

/// A kernel in which the N-th call fails, once or for ever: the loop "N = 1, 2, … until nothing is met any more" shows
/// that every call may fail at every place without a leak or a trap. Everything else is the real kernel.
public final class FaultyKernel: Kernel {
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

        /// All of it.
        public init(_ call: Call? = nil, nth: Int, forEver: Bool = false, error: Errno) {
            self.call = call
            self.nth = nth
            self.forEver = forEver
            self.error = error
        }
    }

    /// The fault in force; its count begins when it is set.
    public var fault: Fault? {
        didSet { met = 0 }
    }
    /// Calls made so far, by kind.
    public private(set) var counts: [Call: Int] = [:]
    /// Calls that were made to fail.
    public private(set) var failures = 0
    private var met = 0
    let base = LiveKernel()

    /// No fault yet.
    public init(_ fault: Fault? = nil) { self.fault = fault }

    /// Counts a call and fails it when its turn has come.
    func pass(_ call: Call) throws(Errno) {
        counts[call, default: 0] += 1
        guard let fault, fault.call == nil || fault.call == call else { return }
        met += 1
        if met == fault.nth || (fault.forEver && met > fault.nth) {
            failures += 1
            throw fault.error
        }
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
