/// Policies of children in plan order, each different one kept once: a tree of a thousand has a handful, and each takes a
/// third of a kilobyte.
public struct PolicyList: RandomAccessCollection, ExpressibleByArrayLiteral, Hashable, Sendable {
    private let distinct: [ChildPolicy]
    /// For each child its place in `distinct`.
    private let places: [UInt16]

    /// Policies in order, at most 0x7FFF different ones; what comes after the last that fits is left out.
    public init(_ policies: some Sequence<ChildPolicy>) {
        var known: [ChildPolicy: UInt16] = [:]
        var distinct: [ChildPolicy] = []
        var places: [UInt16] = []
        for policy in policies {
            if let place = known[policy] {
                places.append(place)
                continue
            }
            guard distinct.count < 0x7FFF else { break }
            known[policy] = UInt16(distinct.count)
            places.append(UInt16(distinct.count))
            distinct.append(policy)
        }
        self.distinct = distinct
        self.places = places
    }

    /// As written.
    public init(arrayLiteral policies: ChildPolicy...) { self.init(policies) }

    /// Always 0.
    public var startIndex: Int { 0 }

    /// The number of children.
    public var endIndex: Int { places.count }

    /// The policy of the n-th child.
    public subscript(index: Int) -> ChildPolicy { distinct[Int(places[index])] }
}
