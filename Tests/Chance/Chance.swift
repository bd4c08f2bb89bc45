import Glibc

/// What random tests begin with.
public enum Chance {
    /// Every run of the gate plays the same: a change is not refused by a lottery, and what it broke is red again.
    static let fixed: UInt64 = 2_026_112_615

    /// The seed of a test, printed: NEXUS_SEED's number; with NEXUS_SEED=random, or with NEXUS_LONG=1 and no number, one that
    /// nobody has played yet; else always the same.
    public static func seed(of test: String = #function) -> UInt64 {
        let seed = number(said: value("NEXUS_SEED"), isLong: isLong)
        print("\(test): seed \(seed) (NEXUS_SEED=\(seed) repeats it)")
        return seed
    }

    /// The long counts of docs/testing.md are wanted.
    public static var isLong: Bool { value("NEXUS_LONG") == "1" }

    static func number(said: String?, isLong: Bool) -> UInt64 {
        if let said, let number = UInt64(said) { return number }
        return said == "random" || isLong ? .random(in: 0 ... .max) : fixed
    }

    private static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
