import Foundation
import Glibc
import System
import TestSupport
import Testing

@testable import Runtime

extension WholeTrees {
    /// Every call of the kernel fails, once and for ever after, with each error that it can answer on a machine in trouble,
    /// at every place of six lives of nexusd: one that only starts, crashes, a reload, a flood of lines, the bus, commands
    /// and a stop. It may refuse to start, or do its work all the same; it never traps, hangs, turns without end, leaves a
    /// process or a descriptor, restarts who was not concerned, or loses an end record or a line. After one failure
    /// everything comes to be as if there had been none.
    ///
    /// All of it with NEXUS_LONG=1; else as many of the faults as fit into some seconds, drawn by a printed seed.
    @Suite(.timeLimit(.minutes(60))) struct FaultTests {
        private static var isLong: Bool { ProcessInfo.processInfo.environment["NEXUS_LONG"] == "1" }

        @Test func noFault_isMetByNobody() throws {
            for script in FaultScript.all {
                let outcome = try FaultSweep.apart { FaultRun(script: script, fault: nil).play() }
                #expect(outcome.complaint == nil, "\(script.name)")
                print("'\(script.name)': \(outcome.calls) calls, \(outcome.faults) faults that one of them can meet")
            }
        }

        @Test func everyCallMayFail() throws {
            let seed =
                ProcessInfo.processInfo.environment["NEXUS_SEED"].flatMap { UInt64($0) } ?? .random(in: 1 ... .max)
            let report = try Self.isLong ? FaultSweep.everything() : FaultSweep.slice(seed, seconds: 45)
            print("\(report.runs) lives, \(report.met) of them met their fault; seed \(seed)")
            #expect(report.complaints.isEmpty, "\(report.complaints.prefix(20).joined(separator: "\n"))")
            #expect(report.met > 30)
        }
    }
}
