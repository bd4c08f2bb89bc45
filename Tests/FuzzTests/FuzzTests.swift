import Chance
import Foundation
import Testing

@testable import FuzzTargets

/// What scripts/fuzz has kept, and inputs made from it by chance, go through every reader of strangers' bytes: a trap, a
/// broken property and a hang end this process. Which inputs reach new code is only seen by scripts/fuzz itself.
@Suite("Fuzzing, as much as fits into every run", .serialized, .timeLimit(.minutes(10)))
struct FuzzTests {
    /// Those that NEXUS_FUZZ names, with commas between; without it all.
    private static let chosen =
        ProcessInfo.processInfo.environment["NEXUS_FUZZ"]?.split(separator: ",").map(String.init)
        ?? Target.all.map(\.name)

    @Test(arguments: chosen)
    func keptAndChangedInputs_areTakenOrRefused(name: String) throws {
        let target = try #require(Target.all.first { $0.name == name })
        let kept = Corpus.kept(name)
        let inputs = kept + target.seeds()
        for input in kept { target.feed(input) }
        var mutations = Mutations(inputs, seed: Chance.seed())
        let count = Chance.isLong ? 1_000_000 : 100_000
        let begun = ContinuousClock.now
        for _ in 0..<count { target.feed(mutations.next()) }
        print("\(name): \(kept.count) kept inputs and \(count) changed ones in \(ContinuousClock.now - begun)")
        #expect(!inputs.isEmpty)
    }

    @Test func keptInputs_areThoseThatWereWritten() {
        let bytes = (0...255).map { UInt8($0) }
        let inputs = [[0x0A], [0x5C, 0x78], [0x5C, 0x6E, 0x0D], bytes]
        #expect(Corpus.inputs(Corpus.text(inputs)) == inputs)
        for name in Target.all.map(\.name) {
            let kept = Corpus.kept(name)
            #expect(!kept.isEmpty, "scripts/fuzz --keep \(name)")
            #expect(Corpus.inputs(Corpus.text(kept)) == kept)
        }
    }
}

/// Inputs that are nearly good: a few changes to one of them, or the beginning of one before the end of another.
struct Mutations {
    private let inputs: [[UInt8]]
    private var random: SplitMix
    private static let limitBytes = 4096
    /// Where lengths, counts and text turn over.
    private static let odd: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF] + Array("\"{}[]\\,:=\n9-".utf8)

    init(_ inputs: [[UInt8]], seed: UInt64) {
        self.inputs = inputs
        random = SplitMix(seed: seed)
    }

    mutating func next() -> [UInt8] {
        var input = inputs[random.next(below: inputs.count)]
        for _ in 0...random.next(below: 6) { change(&input) }
        return Array(input.prefix(Self.limitBytes))
    }

    private mutating func change(_ input: inout [UInt8]) {
        let place = random.next(below: input.count + 1)
        switch random.next(below: 6) {
        case 0 where place < input.count: input[place] ^= 1 << UInt8(random.next(below: 8))
        case 1 where place < input.count: input[place] = Self.odd[random.next(below: Self.odd.count)]
        case 2: input.insert(Self.odd[random.next(below: Self.odd.count)], at: place)
        case 3: input.removeSubrange(place..<min(input.count, place + 1 + random.next(below: 8)))
        case 4:
            let piece = input[place..<min(input.count, place + 1 + random.next(below: 64))]
            input.insert(contentsOf: Array(piece), at: random.next(below: input.count + 1))
        case _:
            let other = inputs[random.next(below: inputs.count)]
            input.replaceSubrange(place..., with: other.suffix(random.next(below: other.count + 1)))
        }
    }
}
