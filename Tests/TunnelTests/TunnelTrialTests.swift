import Foundation
import Testing
import Tunnel

/// What was changed through the tunnel, and when it holds.
@Suite(.timeLimit(.minutes(1)))
struct TunnelTrialTests {
    private static let length = Patience().trial
    private static let named = TunnelChoice(mode: .named, isOn: true)
    private static let token = TunnelChoice(mode: .token, isOn: true)
    private static let stopped = TunnelChoice(mode: .named, isOn: false)

    private static func at(_ second: Int64, boot: String = "this") -> BootInstant {
        BootInstant(boot: boot, milliseconds: second * 1000)
    }

    private static func changed(
        _ choice: TunnelChoice, to next: TunnelChoice, over approach: TunnelApproach = .tunnel, at second: Int64 = 100,
        run: String? = "1-1", file: TunnelMode = .off
    ) -> TunnelChoice {
        choice.changed(to: next, over: approach, run: run, file: file, at: at(second), length: length)
    }

    @Test func changeFromNear_holdsAtOnce() {
        #expect(Self.length == .seconds(60))
        #expect(Self.changed(Self.named, to: Self.token, over: .near) == Self.token)
        #expect(Self.token.settled(at: Self.at(1000), length: Self.length) == Self.token)
    }

    @Test(arguments: [token, stopped, TunnelChoice(mode: .quick, isOn: true)])
    func changeThroughTheTunnel_isUndoneAfter60Seconds_unlessKept(_ next: TunnelChoice) throws {
        let tried = Self.changed(Self.named, to: next)
        #expect(tried.mode == next.mode && tried.isOn == next.isOn && tried.former == Self.named)
        #expect(tried.settled(at: Self.at(159), length: Self.length) == tried)
        #expect(tried.settled(at: Self.at(160), length: Self.length) == Self.named)
        let kept = try tried.kept(over: .near, run: nil, at: Self.at(159), length: Self.length)
        #expect(kept == next)
        #expect(kept.settled(at: Self.at(1000), length: Self.length) == next)
    }

    @Test func keepByTheWayBefore_doesNotCount() throws {
        let tried = Self.changed(Self.named, to: Self.token)
        for run in ["1-1", nil] {
            #expect(throws: TunnelError.self) {
                try tried.kept(over: .tunnel, run: run, at: Self.at(101), length: Self.length)
            }
        }
        #expect(try tried.kept(over: .tunnel, run: "1-2", at: Self.at(101), length: Self.length) == Self.token)
    }

    @Test func keepTooLate_orOfNothing_isRefused() {
        let tried = Self.changed(Self.named, to: Self.token)
        #expect(throws: TunnelError.self) {
            try tried.kept(over: .near, run: nil, at: Self.at(160), length: Self.length)
        }
        #expect(throws: TunnelError.self) {
            try Self.named.kept(over: .near, run: nil, at: Self.at(100), length: Self.length)
        }
    }

    @Test func secondChangeOnTrial_leadsBackToWhatWasKnownToWork_withATimeOfItsOwn() {
        let tried = Self.changed(Self.named, to: Self.token)
        let again = Self.changed(tried, to: TunnelChoice(mode: .quick, isOn: true), at: 150, run: "1-2")
        #expect(again.former == Self.named && again.trial?.run == "1-2")
        #expect(again.settled(at: Self.at(161), length: Self.length) == again)
        #expect(again.settled(at: Self.at(210), length: Self.length) == Self.named)
        // And back by hand, through what is on trial: that was known to work.
        #expect(Self.changed(again, to: Self.named, at: 160, run: "1-3") == Self.named)
        // From near it is for good, whatever was tried.
        #expect(Self.changed(again, to: Self.token, over: .near, at: 160) == Self.token)
    }

    @Test func changeOfNothing_isNoTrial() {
        #expect(Self.changed(Self.named, to: Self.named) == Self.named)
        // The same way by another word: as the file says.
        let file = TunnelChoice(mode: nil, isOn: true)
        #expect(Self.changed(Self.named, to: file, file: .named) == file)
        let tried = Self.changed(Self.named, to: Self.token)
        #expect(Self.changed(tried, to: Self.token, at: 110) == tried)
    }

    @Test func trialOfAnotherBoot_orOfATimeThatCannotBe_isOver() {
        let tried = Self.changed(Self.named, to: Self.token)
        #expect(tried.settled(at: Self.at(101, boot: "next"), length: Self.length) == Self.named)
        // Its end is further away than a trial is long: the file was not written by this clock.
        #expect(tried.settled(at: Self.at(10), length: Self.length) == Self.named)
    }

    @Test func trial_survivesTheFile() throws {
        let directory = "/tmp/nexus-trial-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let tried = Self.changed(Self.named, to: Self.token)
        try tried.write(in: directory)
        #expect(try TunnelChoice.read(in: directory) == tried)
        // Of a version that knew of no trials.
        try #"{"mode":"named","isOn":false}"#.write(
            toFile: directory + "/choice.json", atomically: true, encoding: .utf8)
        #expect(try TunnelChoice.read(in: directory) == Self.stopped)
    }

    /// Any number may stand in the file: it is damaged, and ends nobody.
    @Test(arguments: [Int64.min, -1, .max]) func instantThatCannotBe_isADamagedFile(_ milliseconds: Int64) throws {
        let directory = "/tmp/nexus-trial-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var tried = Self.changed(Self.named, to: Self.token)
        tried.trial?.until.milliseconds = milliseconds
        try tried.write(in: directory)
        #expect(throws: TunnelError("\(directory)/choice.json is damaged")) { try TunnelChoice.read(in: directory) }
        #expect(tried.settled(at: Self.at(101), length: Self.length) == Self.named)
    }

    @Test func bootInstant_goesOn() {
        let first = BootInstant.now()
        #expect(first.boot.count == 36)
        #expect(BootInstant.now().milliseconds >= first.milliseconds)
        #expect(first.advanced(by: .seconds(2)).milliseconds == first.milliseconds + 2000)
    }
}
