import Foundation
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    @Suite(.timeLimit(.minutes(1))) struct ScheduleTests {
        private func scheduled(_ name: String, _ text: String, _ schedule: Schedule, _ times: [Int64] = []) -> ChildPlan
        {
            script(name, text) {
                $0.policy.schedule = schedule
                $0.calendar = times
            }
        }

        private func begun(_ count: Int, of child: String, _ tree: RunningTree) throws {
            let client = try tree.client()
            let id = try client.request("events")
            for _ in 0..<count {
                _ = try client.event(id) {
                    $0["message_id"] as? String == EventKind.starting.messageID && $0["child"] as? String == child
                }
            }
        }

        @Test func interval_runsAtOnceAndAgain_andStatusSaysTheNextTime() throws {
            let tree = try RunningTree(Plan(children: [scheduled("job", "exit 3", .every(.milliseconds(300)))]))
            try begun(2, of: "job", tree)
            let client = try tree.client()
            #expect(try client.ask("wait-ready") == .reply(#"{"ready":true}"#))
            let status = try client.status("job")
            #expect(status["scheduled"] as? Bool == true)
            #expect(status["next_try_ms"] as? Int ?? -1 >= 0)
            #expect(try tree.stop() == .code(0))
        }

        @Test func calendar_runsAtItsTime_andSaysWhenItIsUsedUp() throws {
            // A time that went by before the tree had begun is made up for by nobody.
            let soon = Int64(time(nil)) + 3
            let tree = try RunningTree(Plan(children: [scheduled("job", "exit 0", .calendar, [soon])]))
            let client = try tree.client()
            #expect(try client.end(of: "job")["cause"] as? String == "done")
            // time(2) goes by the last tick, and may say the second before.
            var clock = timespec()
            clock_gettime(CLOCK_REALTIME, &clock)
            #expect(Int64(clock.tv_sec) >= soon)
            let other = try tree.client()
            #expect(try other.state("job") == "scheduled")
            let why = try other.object("why job")
            #expect((why["rule"] as? String)?.contains("`schedule.at`") == true)
            #expect((why["next"] as? String)?.contains("used up") == true)
            #expect(why["cause_rule"] as? String == "a success")
        }

        @Test func timesAheadAreShown_andAStartRunsItAtOnce() throws {
            let far = Int64(time(nil)) + 100_000
            let tree = try RunningTree(Plan(children: [scheduled("job", "exec sleep 1000", .calendar, [far])]))
            let client = try tree.client()
            let wait = try #require(try client.status("job")["next_try_ms"] as? Int)
            #expect((99_000_000...100_000_000).contains(wait))
            _ = try client.ask("start job")
            #expect(try client.state("job") == "ready")
            #expect(try tree.stop() == .code(0))
        }

        /// The plan carries times computed ahead; when few are left the file is read again, for its calendars only.
        @Test func timesThatRunLow_areAskedForAnew_andNothingElseOfTheFileIsTaken() throws {
            let far = Int64(time(nil)) + 100_000
            func job(_ times: [Int64]) -> ChildPlan { scheduled("job", "exit 0", .calendar, times) }
            let tree = try FileTree(Plan(children: [job([far])]))
            let client = try tree.start()
            func wait() throws -> Int { try client.status("job")["next_try_ms"] as? Int ?? -1 }
            #expect((99_000_000...100_000_000).contains(try wait()))
            try tree.write(Plan(children: [job([far - 50_000, far]), child("new", "serve")]))
            // A run that begins is the occasion, whoever began it.
            _ = try client.ask("start job")
            try waitFor("the new times") { try (49_000_000...50_000_000).contains(wait()) }
            #expect(try client.names() == ["job"])
            try client.wait(for: "job", toBe: "scheduled")
            // A file that is wrong by now is said, and the times there are stay.
            try tree.refuse("x.toml:3:1: error: unknown key 'comand'")
            let events = try client.request("events")
            // Its answer may come behind the event, and whoever waits for it would not see that.
            _ = try client.request("start job")
            let said = try client.event(events) { ($0["message"] as? String)?.hasPrefix("No further times") == true }
            #expect((said["message"] as? String)?.contains("x.toml:3:1") == true)
            #expect((49_000_000...50_000_000).contains(try wait()))
            #expect(try tree.stop() == .code(0))
        }
    }

    @Suite(.timeLimit(.minutes(1))) struct OneShotTests {
        @Test func oneShot_comesBeforeWhatRequiresIt_andCountsAsReady() throws {
            let first = script("first", "echo worked; exit 0") {
                $0.policy.restart = .onFailure
                $0.readiness = .done
                $0.policy.ready = .reported
            }
            let second = child("second", "serve") { $0.policy.requires = [ChildID(rawValue: 1)] }
            let tree = try RunningTree(Plan(children: [first, second]))
            let client = try tree.client()
            #expect(try client.ask("wait-ready") == .reply(#"{"ready":true}"#))
            #expect(try client.state("first") == "done")
            #expect(try client.state("second") == "ready")
            let end = try #require(try client.status("first")["last_end"] as? [String: Any])
            #expect(end["cause"] as? String == "done")
            #expect(try tree.stop() == .code(0))
        }
    }

    @Suite struct MomentTests {
        @Test func wallSeconds_becomeInstants_andFarOnesSaturate() {
            let now = Instant(nanoseconds: 5_000_000_000)
            let moment = Moment(second: 1_010, wall: 1_000_500_000_000, now: now)
            #expect(moment.instant == Instant(nanoseconds: 14_500_000_000))
            #expect(Moment(second: 990, wall: 1_000_000_000_000, now: now).instant < now)
            #expect(Moment(second: .max, wall: 0, now: now).instant == Instant(nanoseconds: .max))
        }
    }
}
