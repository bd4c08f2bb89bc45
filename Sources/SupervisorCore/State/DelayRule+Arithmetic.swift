extension DelayRule {
    /// No end for want of a network is waited for longer than this, whatever the cap; the tenth that may be added counts.
    static let networkCap: Duration = .seconds(10)
    /// What becomes `networkCap` with a whole tenth more.
    static let networkLimit: Duration = .nanoseconds(networkCap.nanoseconds / 11 * 10)

    /// The delays of a log-writer: at once, 100 ms, doubling to 1 s; while it is away lines pile up in the pipes.
    static let logWriter = DelayRule(first: .milliseconds(100), cap: .seconds(1))

    /// The delay after this many unstable runs in a row: none after none, `first` after one, then doubling up to `cap`.
    func delay(after runs: UInt16) -> Duration {
        guard runs > 0 else { return .zero }
        let limit = max(0, cap.nanoseconds)
        let (product, overflow) = max(0, first.nanoseconds)
            .multipliedReportingOverflow(by: 1 << Int64(min(runs - 1, 62)))
        return .nanoseconds(overflow ? limit : min(product, limit))
    }
}

extension Duration {
    /// Up to a tenth more, in proportion to `jitter`: children that died together do not come back together.
    func jittered(by jitter: UInt16) -> Duration {
        let tenth = max(0, nanoseconds) / 10
        let (whole, rest) = tenth.quotientAndRemainder(dividingBy: Int64(UInt16.max))
        let extra = whole * Int64(jitter) + rest * Int64(jitter) / Int64(UInt16.max)
        let (sum, overflow) = nanoseconds.addingReportingOverflow(extra)
        return .nanoseconds(overflow ? .max : sum)
    }

    /// Ten times as long, saturating.
    var tenfold: Duration {
        let (product, overflow) = nanoseconds.multipliedReportingOverflow(by: 10)
        return .nanoseconds(overflow ? (self < .zero ? .min : .max) : product)
    }
}
