import Chance
import Foundation
import Glibc
import System
import TestSupport

@testable import Runtime

/// Plays lives with faults, two at a time, each in a process of its own.
enum FaultSweep {
    struct Report {
        var runs = 0
        var met = 0
        var complaints: [String] = []
    }

    /// What came back from a life.
    struct Answer {
        var failures = 0
        /// Of all kinds.
        var calls = 0
        /// Pairs of a call and an error that it can answer.
        var faults = 0
        /// By errno: how many of the calls can answer it.
        var places: [Int32: Int] = [:]
        var complaint: String?
    }

    /// One life, apart. A hang is ended and named.
    static func apart(_ run: FaultRun) throws -> Answer {
        let words = try inAProcess { say in
            run.play { outcome in
                let table = outcome.places.map { "\($0.key.rawValue)=\($0.value)" }.joined(separator: ",")
                say("\(outcome.failures);\(outcome.calls);\(table);\(outcome.complaint ?? "")")
            }
        }
        let parts = words.split(separator: ";", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, let failures = Int(parts[0]) else { return Answer(failures: 1, complaint: words) }
        var answer = Answer(failures: failures, calls: Int(parts[1]) ?? 0)
        for place in parts[2].split(separator: ",") {
            let pair = place.split(separator: "=").compactMap { Int($0) }
            answer.places[Int32(pair[0])] = pair[1]
        }
        answer.faults = answer.places.values.reduce(0, +)
        answer.complaint = parts[3].isEmpty ? nil : String(parts[3])
        return answer
    }

    /// A process with one thread, as nexusd is: signals go to whichever thread of a test runner takes them.
    private static func inAProcess(_ body: (_ say: @escaping @Sendable (String) -> Never) -> Never) throws -> String {
        let kernel = LiveKernel()
        let pipe = try kernel.makePipe(blocking: .write)
        let process = fork()
        if process == 0 {
            // Out of the way of what a life is handed.
            let answer = fcntl(pipe.write.raw, F_DUPFD_CLOEXEC, FaultRun.answerPlace)
            // What a tree has to say is not for the test's output.
            let null = open("/dev/null", O_WRONLY)
            dup2(null, 2)
            close(null)
            body { words in
                let bytes = Array(words.utf8)
                _ = Glibc.write(answer, bytes, bytes.count)
                _exit(0)
            }
        }
        // No alarm(2): nexusd blocks its signal as any other that means nothing.
        let isOver = try waitUntil(kernel.openProcess(ProcessID(rawValue: process)), within: limit)
        if !isOver { kill(process, SIGKILL) }
        var status: Int32 = 0
        waitpid(process, &status, 0)
        let words = RunningTree.drain(pipe.read, kernel)
        return isOver && status == 0 ? words : isOver ? "it ended with \(status): \(words)" : "it hangs"
    }

    /// From the start to the end of a life, on a machine with much else to do.
    private static let limit: Duration = .seconds(50)

    private static func play(_ script: FaultScript, _ fault: FaultyKernel.Fault, _ report: inout Report) throws -> Bool
    {
        let answer = try apart(FaultRun(script: script, fault: fault))
        report.runs += 1
        if answer.failures > 0 { report.met += 1 }
        if let complaint = answer.complaint {
            let often = fault.forEver ? "for ever from call" : "at call"
            let words = "'\(script.name)', \(fault.error) \(often) \(fault.nth): \(complaint)"
            report.complaints.append(words)
            print(words)
        }
        return answer.failures > 0
    }

    /// Every fault of these scripts: N = 1, 2, … until a life meets none.
    static func everything(of scripts: [FaultScript]) throws -> Report {
        var report = Report()
        for script in scripts {
            for error in Call.allErrnos {
                for forEver in [false, true] {
                    var nth = 1
                    while try play(
                        script, FaultyKernel.Fault(nth: nth, forEver: forEver, error: error, plausibly: true), &report)
                    { nth += 1 }
                }
            }
            print("'\(script.name)' is through: \(report.runs) lives so far, \(report.complaints.count) complaints")
        }
        return report
    }

    /// So many faults, drawn by a seed and by nothing else: how many calls a life makes differs a little from one to the next, so
    /// N is not drawn from what was counted. An error comes the more often the more calls can answer it; early calls, where most
    /// is set up, as often as all later ones.
    static func slice(of scripts: [FaultScript], _ seed: UInt64, lives: Int) throws -> Report {
        var random = SplitMix(seed: seed)
        var report = Report()
        let errors = Call.allCases.flatMap(\.errnos)
        for life in 0..<lives {
            let error = errors[random.next(below: errors.count)]
            let nth = 1 + random.next(below: 1 << (1 + random.next(below: lastCallBits)))
            let fault = FaultyKernel.Fault(
                nth: nth, forEver: random.next(below: 2) == 1, error: error, plausibly: true)
            _ = try play(scripts[life % scripts.count], fault, &report)
        }
        return report
    }

    /// Up to the 128th call that can answer an error.
    private static let lastCallBits = 7
}
