/// What came of a probe.
public enum ProbeVerdict: Hashable, Sendable {
    case healthy
    /// A miss, and why: for `status` and `why`.
    case unhealthy(String)
    /// Nobody could tell, and why: no miss.
    case unknown(String)
}
