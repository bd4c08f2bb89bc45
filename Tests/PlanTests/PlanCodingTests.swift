import Chance
import SupervisorCore
import Testing
import Wire

@testable import Plan

@Suite(.timeLimit(.minutes(1))) struct PlanCodingTests {
    let plan = MaximalPlan.plan
    let bytes = MaximalPlan.plan.encoded()

    @Test func maximalPlan_roundTrips() throws {
        try plan.validate()
        let read = try Plan(encoded: bytes)
        #expect(read == plan)
        #expect(read.encoded() == bytes)
    }

    @Test func emptyPlan_roundTrips() throws {
        #expect(try Plan(encoded: Plan().encoded()) == Plan())
    }

    @Test func everyTruncation_isRefused() {
        for count in 0..<bytes.count {
            #expect(throws: PlanError.self) { try Plan(encoded: Array(bytes.prefix(count))) }
            let body = Array(bytes.prefix(count).dropFirst(Plan.headerBytes))
            #expect(throws: PlanError.self) { try Plan(encoded: sealed(body)) }
        }
    }

    @Test func trailingByte_isRefused() {
        let body = Array(bytes.dropFirst(Plan.headerBytes))
        #expect(throws: PlanError.damaged(ByteError(.trailingBytes, at: body.count))) {
            try Plan(encoded: sealed(body + [0]))
        }
    }

    @Test func anyChangedByte_isSeenByTheChecksum() {
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 0x10
            #expect(throws: PlanError.self) { try Plan(encoded: changed) }
        }
    }

    @Test func otherMagicVersionOrSize_isNamed() {
        #expect(throws: PlanError.notAPlan) { try Plan(encoded: Array("[child.web]\n".utf8)) }
        var other = bytes
        other[Plan.magic.count + 1] = 9
        #expect(throws: PlanError.version(9)) { try Plan(encoded: other) }
        #expect(throws: PlanError.tooLarge(bytes: Plan.encodedLimit + 1)) {
            try Plan(encoded: bytes + [UInt8](repeating: 0, count: Plan.encodedLimit + 1 - bytes.count))
        }
    }

    /// With a right checksum, so that the decoder itself is reached: whatever decodes keeps the rules of plans and
    /// survives another round trip; everything else is an error, never a trap.
    @Test func randomChanges_giveAPlanOrAnError() {
        let seed = Chance.seed()
        var random = SplitMix(seed: seed)
        let body = Array(bytes.dropFirst(Plan.headerBytes))
        var accepted = 0
        for _ in 0..<5_000 {
            var changed = body
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let index = Int.random(in: changed.indices, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: changed[index] = UInt8.random(in: 0 ... .max, using: &random)
                case 1: changed[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2: changed.remove(at: index)
                case _: changed.insert(UInt8.random(in: 0 ... .max, using: &random), at: index)
                }
            }
            guard let read = try? Plan(encoded: sealed(changed)) else { continue }
            accepted += 1
            #expect((try? Plan(encoded: read.encoded())) == read, "seed \(seed)")
        }
        #expect(accepted > 0, "seed \(seed): no change was accepted, the decoder was not reached")
    }

    @Test func hugeCount_allocatesNothing() {
        // Four empty lists and the flag of [supervisor], then a list of groups that claims 4,294,967,295 elements.
        let body: [UInt8] = Array(repeating: 0, count: 17) + [255, 255, 255, 255]
        #expect(throws: PlanError.damaged(ByteError(.countTooLarge, at: 17))) { try Plan(encoded: sealed(body)) }
    }

    /// A plan with the given body and a header that fits it.
    private func sealed(_ body: [UInt8]) -> [UInt8] {
        var header = ByteWriter()
        for byte in Plan.magic { header.write(byte) }
        header.write(Plan.encodingVersion)
        header.write(checksum(body[...]))
        return header.bytes + body
    }
}
