import Chance
import Chance
import Foundation
import Glibc
import System
import TestSupport
import Testing

@testable import Runtime

extension WholeTrees {
    /// Every call of the kernel fails, once and for ever after, with each error that it can answer on a machine in trouble,
    /// at every place of nine lives of nexusd: one that only starts, crashes, a reload, a flood of lines, the bus, commands
    /// and a stop, one that would go on as another program, one that does, one that adopts. It may refuse to start, or do its work all the same; it never traps, hangs, turns without end, leaves a
    /// process or a descriptor, restarts who was not concerned, or loses an end record or a line. After one failure
    /// everything comes to be as if there had been none.
    ///
    /// All of it with NEXUS_LONG=1, of the lives that NEXUS_SCRIPT names; else some of the faults, the same ones in every run,
    /// others with NEXUS_SEED.
    @Suite(.timeLimit(.minutes(60))) struct FaultTests {
        @Test func noFault_isMetByNobody() throws {
            for script in FaultScript.all {
                let outcome = try FaultSweep.apart(FaultRun(script: script, fault: nil))
                #expect(outcome.complaint == nil, "\(script.name)")
                print("'\(script.name)': \(outcome.calls) calls, \(outcome.faults) faults that one of them can meet")
            }
        }

        @Test func everyCallMayFail() throws {
            let scripts = try Self.scripts()
            let seed = Chance.seed()
            let report =
                try Chance.isLong
                ? FaultSweep.everything(of: scripts) : FaultSweep.slice(of: scripts, seed, lives: Self.lives)
            print("\(report.runs) lives, \(report.met) of them met their fault; seed \(seed)")
            #expect(report.complaints.isEmpty, "\(report.complaints.prefix(20).joined(separator: "\n"))")
            #expect(report.met > report.runs / 3)
        }

        /// About 45 s on two cores. By their number and not by a clock, so that every run plays the same.
        private static let lives = 260

        /// Those that NEXUS_SCRIPT names, with commas between; without it all.
        private static func scripts() throws -> [FaultScript] {
            guard let names = ProcessInfo.processInfo.environment["NEXUS_SCRIPT"]?.split(separator: ",") else {
                return FaultScript.all
            }
            return try names.map { name in try #require(FaultScript.all.first { $0.name == name }) }
        }
    }
}
