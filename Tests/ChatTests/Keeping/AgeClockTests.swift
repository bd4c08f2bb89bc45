import Foundation
import Testing

@testable import Chat

/// What a wrong clock may not do: delete.
@Suite
struct AgeClockTests {
    private let hour: Int64 = 3_600_000
    private var day: Int64 { 24 * hour }
    private let start: Int64 = 1_800_000_000_000

    /// Believed, at `start`.
    private func trusted() -> AgeClock {
        var clock = AgeClock(at: start - day)
        clock.read(start, lived: day)
        return clock
    }

    @Test func clockThatNothingIsKnownOf_isBelievedAfterADay_andNothingIsSaid() {
        var clock = AgeClock(at: start)
        for hours in 1...24 {
            #expect(!clock.isBelieved && clock.words == nil)
            clock.read(start + Int64(hours) * hour, lived: hour)
        }
        #expect(clock.isBelieved)
    }

    /// Of one that is ahead it is not known whether chat-bridge was off meanwhile, with the machine or without.
    @Test func words_fitAClockThatWasSet_andAMachineThatWasOff() {
        var clock = trusted()
        clock.read(start + 2 * day + hour, lived: nil)
        let words = clock.words ?? ""
        #expect(
            words.contains("2 days ahead of when chat-bridge ran last")
                && words.contains("it was off for so long, or the clock was set"), "\(words)")
        clock.read(start - 30 * hour, lived: nil)
        #expect(clock.words?.contains("went back by 3 days") == true, "\(clock.words ?? "")")
    }

    @Test(arguments: [400, -400, 2])
    func leap_isBelievedWhenADayWasLivedByIt_inSeveralRuns(days: Int64) {
        var clock = trusted()
        #expect(clock.isBelieved && clock.words == nil)
        let far = start + days * day
        clock.read(far + hour, lived: hour)
        #expect(!clock.isBelieved)
        #expect(
            clock.words?.contains("\(abs(days)) days") == true && clock.words?.contains("went back") == (days < 0))
        // Another run, some hours later: what passed meanwhile was not lived through.
        clock.read(far + 5 * hour, lived: nil)
        clock.read(far + 20 * hour, lived: 15 * hour)
        #expect(!clock.isBelieved)
        clock.read(far + 29 * hour, lived: 9 * hour)
        #expect(clock.isBelieved && clock.words == nil)
    }

    @Test func leapThatIsTakenBack_isAnother() {
        var clock = trusted()
        clock.read(start + 400 * day, lived: hour)
        clock.read(start + 23 * hour, lived: 22 * hour)
        #expect(!clock.isBelieved && clock.words?.contains("back by") == true)
        clock.read(start + 47 * hour, lived: 24 * hour)
        #expect(clock.isBelieved)
    }

    /// A night without power, a suspended machine, a clock that is set right by an hour.
    @Test func smallSteps_andTimeThatWasLivedThrough_areNoLeap() {
        var clock = trusted()
        clock.read(start + 20 * hour, lived: nil)
        clock.read(start + 21 * hour, lived: 0)
        clock.read(start + 100 * day, lived: 100 * day)
        #expect(clock.isBelieved)
    }

    @Test func whatIsKept_isReadAgain_andNonsenseIsNotKnown() throws {
        let file = StoreFile(directory: FileManager.default.temporaryDirectory.path + "/nexus-age-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: file.directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: file.directory) }
        let path = file.directory + "/clock"
        var watch = AgeWatch(file)
        #expect(!watch.look().isBelieved)
        let old = ChatStore.milliseconds() - 400 * day
        try Data(#"{"last":\#(old)}"#.utf8).write(to: URL(fileURLWithPath: path))
        watch = AgeWatch(file)
        let read = watch.look()
        #expect(!read.isBelieved && read.words?.contains("400 days ahead") == true)
        watch.keep()
        watch = AgeWatch(file)
        #expect(watch.look().words == read.words)
        try Data(#"{"last":\#(ChatStore.milliseconds())}"#.utf8).write(to: URL(fileURLWithPath: path))
        watch = AgeWatch(file)
        #expect(watch.look().isBelieved)
        for text in ["", "{}", #"{"last":-9223372036854775808}"#, #"{"last":1,"waited":-9223372036854775808}"#] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            watch = AgeWatch(file)
            let read = watch.look()
            #expect(!read.isBelieved && read.words == nil, "\(text)")
        }
    }
}
