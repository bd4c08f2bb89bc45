import CNexus
import SupervisorCore
import System
import TestSupport
import Testing

/// Capability sets of real children; needs root.
@Suite(.timeLimit(.minutes(1)), .enabled(if: isRoot, "needs root"))
struct SpawnCapabilityTests {
    private static let bindService: UInt64 = 1 << 10
    private static let chown: UInt64 = 1
    private static let nobody = SpawnIdentity(user: 65_534, group: 65_534)

    /// The sets of /proc/self/status by name.
    private func sets(_ change: (inout SpawnImage) -> Void) throws -> [String: UInt64] {
        let (text, _) = try shell("grep ^Cap /proc/self/status", change)
        var sets: [String: UInt64] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(whereSeparator: { $0 == ":" || $0 == "\t" })
            if words.count == 2 { sets[String(words[0])] = UInt64(words[1], radix: 16) }
        }
        return sets
    }

    @Test func anotherUser_hasNoRights_andCanGainNone() throws {
        let found = try sets {
            $0.identity = Self.nobody
            $0.capabilities = SpawnCapabilities(bounding: 0, isBoundingRequired: true, ambient: 0)
        }
        #expect(found == ["CapInh": 0, "CapPrm": 0, "CapEff": 0, "CapBnd": 0, "CapAmb": 0])
    }

    @Test func ambientRights_reachAnotherUser_andNoOthersDo() throws {
        let found = try sets {
            $0.identity = Self.nobody
            $0.capabilities = SpawnCapabilities(
                bounding: Self.bindService, isBoundingRequired: true, ambient: Self.bindService)
        }
        #expect(
            found == [
                "CapInh": Self.bindService, "CapPrm": Self.bindService, "CapEff": Self.bindService,
                "CapBnd": Self.bindService, "CapAmb": Self.bindService,
            ])
    }

    @Test func boundingSet_holdsForRootToo() throws {
        let found = try sets {
            $0.capabilities = SpawnCapabilities(
                bounding: Self.chown | Self.bindService, isBoundingRequired: true, ambient: 0)
        }
        #expect(found["CapBnd"] == Self.chown | Self.bindService && found["CapEff"] == found["CapBnd"])
        #expect(found["CapInh"] == 0 && found["CapAmb"] == 0)
    }

    @Test func nothingAsked_touchesNothing() throws {
        let own = try sets { _ in }
        let other = try sets { $0.identity = Self.nobody }
        #expect(other["CapBnd"] == own["CapBnd"] && other["CapEff"] == 0 && other["CapPrm"] == 0)
    }

    @Test func rightOutsideOfTheBoundingSet_isAFailureOfThatStage() throws {
        #expect(throws: SpawnFailure(stage: .privileges, error: .notPermitted)) {
            _ = try sets {
                $0.identity = Self.nobody
                $0.capabilities = SpawnCapabilities(
                    bounding: Self.chown, isBoundingRequired: true, ambient: Self.bindService)
            }
        }
    }

    /// What a child drops makes its own memory undumpable, not its maker's.
    @Test func maker_staysDumpable() async {
        await #expect(processExitsWith: .success) {
            _ = try shell("true") {
                $0.capabilities = SpawnCapabilities(bounding: 0, isBoundingRequired: true, ambient: 0)
            }
            try #require(nexus_get_dumpable() == 1)
        }
    }
}
