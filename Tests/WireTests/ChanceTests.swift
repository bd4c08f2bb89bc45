import Testing

@testable import Chance

/// What every random test begins with.
@Suite(.timeLimit(.minutes(1))) struct ChanceTests {
    @Test func gate_isNoLottery() {
        #expect(Chance.number(said: nil, isLong: false) == Chance.fixed)
        #expect(Chance.number(said: "", isLong: false) == Chance.fixed)
    }

    @Test func aNumberThatIsSaid_isTaken() {
        for isLong in [false, true] { #expect(Chance.number(said: "17", isLong: isLong) == 17) }
    }

    @Test func randomAndLong_areFresh() {
        #expect(Chance.number(said: "random", isLong: false) != Chance.number(said: "random", isLong: false))
        #expect(Chance.number(said: nil, isLong: true) != Chance.number(said: nil, isLong: true))
    }

    /// The first numbers of seed 1234567, as Vigna's own C code gives them.
    @Test func numbers_areSplitMix64s() {
        var random = SplitMix(seed: 1_234_567)
        #expect(random.next() == 6_457_827_717_110_365_317)
        #expect(random.next() == 3_203_168_211_198_807_973)
    }
}
