/// What is left to a child of root's rights (capabilities(7)); each set has bit N for capability N.
public struct Capabilities: Hashable, Sendable {
    /// The most that the child and all it starts can ever have. nil: nothing, when the child runs as another user and
    /// cannot gain privileges; else what nexusd has.
    public var bounding: UInt64?
    /// Rights that the child has although it does not run as root.
    public var ambient: UInt64

    /// Nothing is said.
    public init(bounding: UInt64? = nil, ambient: UInt64 = 0) {
        self.bounding = bounding
        self.ambient = ambient
    }

    /// The kernel refuses what lies outside of the bounding set (capset(2)).
    var isConsistent: Bool { bounding.map { ambient & ~$0 == 0 } ?? true }
}
