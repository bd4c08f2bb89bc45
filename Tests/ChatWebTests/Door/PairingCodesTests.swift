import Chat
import Foundation
import Testing

@testable import ChatWeb

@Suite(.timeLimit(.minutes(1)))
struct PairingCodesTests {
    private let start = ContinuousClock.now
    private func code(_ codes: inout PairingCodes, _ role: DeviceRole = .owner, at now: ContinuousClock.Instant)
        -> String
    {
        var generator = SystemRandomNumberGenerator()
        return codes.issue(role, at: now, using: &generator).code
    }

    @Test func code_isGoodOnce_forItsRole() {
        var codes = PairingCodes()
        let owner = code(&codes, at: start)
        let guest = code(&codes, .chatOnly, at: start)
        #expect(owner.count == PairingCodes.length && owner != guest)
        // What is kept of them, all of it, is not the codes.
        #expect(!"\(codes)".contains(owner) && !"\(codes)".contains(guest))
        #expect(codes.spend(guest, at: start) == .chatOnly)
        #expect(codes.spend(guest, at: start) == nil)
        #expect(codes.spend(owner, at: start) == .owner)
    }

    @Test func code_asPeopleTypeIt_isTheSame() {
        var codes = PairingCodes()
        let one = code(&codes, at: start)
        #expect(
            codes.spend(" " + PairingCodes.shown(one).uppercased().replacing("0", with: "O") + " ", at: start) == .owner
        )
    }

    @Test func code_isOldAfterTenMinutes() {
        var codes = PairingCodes()
        let one = code(&codes, at: start)
        let other = code(&codes, at: start)
        #expect(codes.spend(one, at: start + PairingCodes.lifetime - .seconds(1)) == .owner)
        #expect(codes.spend(other, at: start + PairingCodes.lifetime) == nil)
    }

    @Test func manyCodes_theOldestEnds_andThatIsSaid() {
        var codes = PairingCodes()
        var generator = SystemRandomNumberGenerator()
        let all = (0...PairingCodes.limit).map { _ in codes.issue(.owner, at: start, using: &generator) }
        #expect(all.map(\.endsOldest) == Array(repeating: false, count: PairingCodes.limit) + [true])
        #expect(codes.spend(all[0].code, at: start) == nil)
        #expect(codes.spend(all[1].code, at: start) == .owner)
        // One was spent, and what is old does not count.
        #expect(!codes.issue(.owner, at: start, using: &generator).endsOldest)
        #expect(!codes.issue(.owner, at: start + PairingCodes.lifetime, using: &generator).endsOldest)
    }

    /// No limit stands before a good code, so the number of codes alone has to make guessing hopeless: at 100,000 guesses a
    /// second, for as long as codes are good, with as many good ones as there may be.
    @Test func guessing_isHopelessByTheNumberOfCodesAlone() {
        let guesses = 100_000 * Double(PairingCodes.lifetime.components.seconds)
        let codes = pow(Double(Self.alphabet), Double(PairingCodes.length))
        #expect(guesses * Double(PairingCodes.limit) / codes < 1e-6)
        var codes50 = Set<String>()
        var all = PairingCodes()
        for _ in 0..<2000 { codes50.insert(code(&all, at: start)) }
        // They differ in every place, and use the whole alphabet there.
        #expect(codes50.count == 2000)
        for place in 0..<PairingCodes.length {
            #expect(Set(codes50.map { Array($0)[place] }).count == Self.alphabet, "place \(place)")
        }
    }

    private static let alphabet = 32

    @Test func wrongCodes_endNothingThatIsGood() {
        var codes = PairingCodes()
        let good = code(&codes, at: start)
        for number in 0..<1000 { #expect(codes.spend("wrong\(number)", at: start) == nil) }
        #expect(codes.spend(good, at: start) == .owner)
    }
}
