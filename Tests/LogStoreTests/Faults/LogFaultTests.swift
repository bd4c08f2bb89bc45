import Chance
import Foundation
import System
import TestSupport
import Testing

/// Every call of log-writer, in each of its threads, fails: once and for ever after, with each error that it can answer on a
/// machine in trouble. It may end, and is replaced; no line, no event and no entry of the book of runs is missing then, and
/// none is torn.
///
/// All of it with NEXUS_LONG=1; else some of the faults, the same ones in every run, others with NEXUS_SEED.
@Suite("Failing calls of log-writer", .serialized, .timeLimit(.minutes(60)))
struct LogFaultTests {
    @Test func everyCallMayFail() throws {
        let seed = Chance.seed()
        var places: [LogFaultLife.Script: [(error: Errno, count: Int)]] = [:]
        for script in LogFaultLife.Script.allCases {
            let outcome = try LogFaultLife(script: script, fault: nil).play()
            #expect(outcome.complaint == nil, "\(script)")
            places[script] = outcome.places.sorted { $0.key.rawValue < $1.key.rawValue }.map { ($0.key, $0.value) }
        }
        // One that is killed tells nothing: it makes about as many calls as the other.
        places[.crash] = places[.words]
        for (script, all) in places { #expect(all.reduce(0) { $0 + $1.count } > 40, "\(script)") }
        let (lives, complaints) = try Chance.isLong ? everything(places) : slice(places, seed)
        print("\(lives) lives of log-writer with a fault; seed \(seed)")
        #expect(complaints.isEmpty, "\(complaints.prefix(20).joined(separator: "\n"))")
    }

    private typealias Places = [LogFaultLife.Script: [(error: Errno, count: Int)]]

    private func everything(_ places: Places) throws -> (Int, [String]) {
        var lives = 0
        var complaints: [String] = []
        for script in LogFaultLife.Script.allCases {
            for (error, count) in places[script] ?? [] {
                // Threads meet in another order each time: a few more than were counted.
                for nth in 1...(count + count / 10 + 1) {
                    for forEver in [false, true] {
                        lives += 1
                        if let words = try play(script, error, nth, forEver) { complaints.append(words) }
                    }
                }
            }
        }
        return (lives, complaints)
    }

    /// About 15 s, by their number and not by a clock: every run plays the same.
    private static let lives = 40
    /// Up to the 128th call that can answer an error.
    private static let lastCallBits = 7

    private func slice(_ places: Places, _ seed: UInt64) throws -> (Int, [String]) {
        var random = SplitMix(seed: seed)
        var lives = 0
        var complaints: [String] = []
        for script in (0..<Self.lives).map({ LogFaultLife.Script.allCases[$0 % LogFaultLife.Script.allCases.count] }) {
            // Not drawn from what was counted: that differs a little from life to life.
            let errors = (places[script] ?? []).map(\.error)
            let nth = 1 + random.next(below: 1 << (1 + random.next(below: Self.lastCallBits)))
            lives += 1
            let error = errors[random.next(below: errors.count)]
            if let words = try play(script, error, nth, random.next(below: 2) == 1) { complaints.append(words) }
        }
        return (lives, complaints)
    }

    private func play(_ script: LogFaultLife.Script, _ error: Errno, _ nth: Int, _ forEver: Bool) throws -> String? {
        let fault = FaultyKernel.Fault(nth: nth, forEver: forEver, error: error, plausibly: true)
        let complaint: String?
        do { complaint = try LogFaultLife(script: script, fault: fault).play().complaint } catch {
            complaint = "it threw \(error)"
        }
        guard let complaint else { return nil }
        let words = "'\(script)', \(error) \(forEver ? "for ever from call" : "at call") \(nth): \(complaint)"
        print(words)
        return words
    }
}
