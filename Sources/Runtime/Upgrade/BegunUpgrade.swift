/// An upgrade whose program is executed: what is left of it, in the stage file, where that program ends before it serves.
struct BegunUpgrade {
    /// As `UpgradeOutcome` counts them.
    let number: UInt32
    /// The version that was to be replaced.
    let from: String

    init(number: UInt32, from: String) {
        self.number = number
        self.from = from
    }

    /// `upgrade 3 of 0.1.0`.
    var words: String { "upgrade \(number) of \(from)" }

    /// Nil: it is none.
    init?(words: some StringProtocol) {
        let parts = words.split(separator: " ")
        guard parts.count == 4, parts[0] == "upgrade", let number = UInt32(parts[1]), parts[2] == "of" else {
            return nil
        }
        self.init(number: number, from: String(parts[3]))
    }
}
