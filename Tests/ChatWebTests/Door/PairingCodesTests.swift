import Chat
import Testing

@testable import ChatWeb

@Suite(.timeLimit(.minutes(1)))
struct PairingCodesTests {
    private let start = ContinuousClock.now
    private func code(_ codes: inout PairingCodes, _ role: DeviceRole = .owner, at now: ContinuousClock.Instant)
        -> String
    {
        var generator = SystemRandomNumberGenerator()
        return codes.issue(role, at: now, using: &generator)
    }

    @Test func code_isGoodOnce_forItsRole() {
        var codes = PairingCodes()
        let owner = code(&codes, at: start)
        let guest = code(&codes, .chatOnly, at: start)
        #expect(owner.count == PairingCodes.length && owner != guest)
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

    @Test func manyCodes_theOldestEnds() {
        var codes = PairingCodes()
        let all = (0...PairingCodes.limit).map { _ in code(&codes, at: start) }
        #expect(codes.spend(all[0], at: start) == nil)
        #expect(codes.spend(all[1], at: start) == .owner)
    }

    @Test func wrongCodes_endNothingThatIsGood() {
        var codes = PairingCodes()
        let good = code(&codes, at: start)
        for number in 0..<1000 { #expect(codes.spend("wrong\(number)", at: start) == nil) }
        #expect(codes.spend(good, at: start) == .owner)
    }
}
