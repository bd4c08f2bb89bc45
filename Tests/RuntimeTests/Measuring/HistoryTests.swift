import Foundation
import Plan
import SupervisorCore
import System
import Testing
import Wire

@testable import Runtime

@Suite struct EndHistoryTests {
    private static let exits: [Exit?] = [
        nil, .code(0), .code(255), .signal(.kill, coreDumped: false, oom: true),
        .signal(Signal(rawValue: 64), coreDumped: true, oom: false), .notExecuted(.cgroup, errno: 133),
        .notExecuted(.exec, errno: 2), .unknown,
    ]

    private func end(_ exit: Exit?, _ cause: Cause, ready: Instant? = nil, run: UInt32 = 1) -> EndRecord {
        EndRecord(
            child: ChildID(rawValue: 1), run: RunID(second: 7, count: run), exit: exit, cause: cause,
            started: Instant(nanoseconds: 1_000_000_000), ready: ready, ended: Instant(nanoseconds: 3_500_000_000))
    }

    @Test(arguments: exits) func packedRecord_saysTheSame(exit: Exit?) {
        var history = EndHistory()
        let ready = Instant(nanoseconds: 1_250_000_000)
        history.add(
            end(exit, .crash, ready: ready),
            RunUsage(cpu: .microseconds(1_234_567), peakBytes: 2048 * 1024),
            wall: 99)
        let entry = history.entries[0]
        #expect(entry.exit == exit && entry.cause == .crash && entry.run == RunID(second: 7, count: 1))
        #expect(entry.ranMilliseconds == 2500 && entry.readyMilliseconds == 250 && entry.endedMilliseconds == 99)
        #expect(entry.cpuMilliseconds == 1234 && entry.peakBytes == 2048 * 1024)
    }

    @Test func neverReadyAndNeverSpawned_haveNoNumbers() {
        var history = EndHistory()
        history.add(end(.notExecuted(.exec, errno: 2), .config), RunUsage(), wall: 0)
        let entry = history.entries[0]
        #expect(entry.readyMilliseconds == nil && entry.cpuMilliseconds == nil && entry.peakBytes == nil)
    }

    @Test func sixteenAreKept_allAreCounted() {
        var history = EndHistory()
        for count in 1...40 {
            history.add(end(.code(1), count % 2 == 0 ? .crash : .asked, run: UInt32(count)), RunUsage(), wall: 0)
        }
        #expect(history.entries.map(\.run) == (25...40).map { RunID(second: 7, count: $0) })
        #expect(history.count(of: .crash) == 20 && history.count(of: .asked) == 20 && history.count(of: .oom) == 0)
        #expect(MemoryLayout<EndHistory.Entry>.stride <= 48, "a thousand children keep sixteen each")
    }
}

@Suite struct LoopClockTests {
    @Test func durations_areCountedOnceEach() {
        var histogram = LoopClock.Histogram()
        for duration in [.microseconds(-1), .zero, .microseconds(100), .milliseconds(2), .seconds(9)] as [Duration] {
            histogram.add(duration)
        }
        #expect(histogram.counts == [3, 0, 1, 0, 0, 0, 0, 0, 1])
        #expect(histogram.sum == .seconds(9) + .milliseconds(2) + .microseconds(100))
        #expect(histogram.longest == .seconds(9))
    }
}

extension WholeTrees {
    @Suite(.serialized, .timeLimit(.minutes(2))) struct HistoryTests {
        @Test func endedRuns_areListedWithWhatTheyUsed_forOneAndForAll() throws {
            let tree = try RunningTree(
                Plan(children: [
                    logWriter,
                    script(
                        "burner",
                        "dd if=/dev/zero of=/dev/null bs=64M count=1 2>/dev/null; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exit 3"
                    ),
                    script("quiet", "exec sleep 1000"),
                ]))
            let peer = try ControlPeer(tree.socket)
            let events = try peer.request("events")
            let ended = try peer.event(events) {
                $0["message_id"] as? String == EventKind.ended.messageID && $0["child"] as? String == "burner"
            }
            let fields = try #require(ended["fields"] as? [String: String])
            #expect(Int(fields["CPU_MS"] ?? "") != nil && Int(fields["PEAK_BYTES"] ?? "")! > 100_000)
            let one = try #require(try peer.object("history burner")["children"] as? [[String: Any]])
            let ends = try #require(one.first?["ends"] as? [[String: Any]])
            // It crashes on and on: there may be a later end by now.
            let end = try #require(ends.first { $0["run"] as? String == ended["run"] as? String })
            #expect(one.count == 1 && end["exit"] as? String == "exit 3" && end["code"] as? Int == 3)
            #expect(end["cause"] as? String == "crash")
            #expect(abs((end["ended_ms"] as? Double ?? 0) / 1000 - Date().timeIntervalSince1970) < 60)
            let all = try #require(try peer.object("history")["children"] as? [[String: Any]])
            #expect(all.map { $0["name"] as? String } == ["log-writer", "burner", "quiet"])
            #expect((all[2]["ends"] as? [Any])?.isEmpty == true)
        }
    }
}
