import Synchronization

/// The name by which the tunnel in force brings people here, as tunnel-worker says it. `[chat] url` may have become one that the
/// tunnel was not given (its settings were refused as a whole): who comes by the old one is served on, as long as it leads here.
public final class TunnelName: Sendable {
    private let told = Mutex<String?>(nil)

    /// Nothing is known yet.
    public init() {}

    /// What stands in `Origin` of a request that comes by it.
    var origin: String? { told.withLock { $0 } }

    /// - Parameter address: `https://` and a name; the last one that is told counts.
    public func hear(_ address: String) { told.withLock { $0 = address.lowercased() } }

    /// Nobody looks after the tunnel any more: what was told is of before.
    public func forget() { told.withLock { $0 = nil } }
}
