/// Sebastiano Vigna's SplitMix64 (prng.di.unimi.it/splitmix64.c): the same numbers for the same seed on every machine.
public struct SplitMix: RandomNumberGenerator, Sendable {
    @usableFromInline var state: UInt64

    /// Begins anew.
    @inlinable public init(seed: UInt64) { state = seed }

    /// Any number.
    @inlinable public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// 0 up to, not including, `bound`, which is above 0.
    @inlinable public mutating func next(below bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
