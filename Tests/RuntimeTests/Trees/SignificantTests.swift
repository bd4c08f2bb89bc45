import Foundation
import Plan
import SupervisorCore
import System
import TestSupport
import Testing

@testable import Runtime

extension WholeTrees {
    @Suite(.timeLimit(.minutes(1))) struct SignificantTests {
        /// A tree of three whose `main` is what the tree is there for.
        private func tree(_ words: String..., restart: RestartRule) throws -> RunningTree {
            let main = script("main", words.joined(separator: " ")) {
                $0.policy.significant = true
                $0.policy.restart = restart
                $0.policy.requires = [ChildID(rawValue: 2)]
            }
            return try RunningTree(Plan(children: [logWriter, child("db", "serve"), main]), endsByItself: true)
        }

        @Test func exitCode_isNexusdsOwn_andTheTreeEndsInOrder() throws {
            let tree = try tree("exit 7", restart: .never)
            #expect(try tree.end() == .code(7))
            #expect(tree.registered("main").allSatisfy { !tree.isAlive($0) })
            let log = tree.file(tree.state + "/logs/nexusd/current")
            #expect(log.contains("main is significant and has ended for good (exit 7)"), "\(log)")
        }

        @Test func success_isStatus0() throws {
            #expect(try tree("exit 0", restart: .onFailure).end() == .code(0))
        }

        @Test func signal_is128AndItsNumber() throws {
            #expect(try tree("kill -SEGV $$", restart: .never).end() == .code(139))
        }

        @Test func programThatIsNotThere_is127() throws {
            let main = child("main", "serve") {
                $0.executable = "/nonexistent/program"
                $0.policy.significant = true
                $0.policy.restart = .never
            }
            #expect(try RunningTree(Plan(children: [main]), endsByItself: true).end() == .code(127))
        }

        @Test func childThatIsGivenUpForGood_isNotSaidToWaitForACommand() throws {
            let main = child("main", "serve") {
                $0.executable = "/nonexistent/program"
                $0.policy.significant = true
                $0.policy.delay.slowRetry = nil
            }
            let tree = try RunningTree(Plan(children: [main]), endsByItself: true)
            #expect(try tree.end() == .code(127))
            let said = try tree.said()
            #expect(said.contains("main is given up (config); the tree ends with it."), "\(said)")
            #expect(!said.contains("nexusctl start main"), "\(said)")
        }

        @Test func crashThatIsReplaced_andAStopByCommand_endNothing() throws {
            let main = child("main", "serve") {
                $0.policy.significant = true
                $0.policy.restart = .onFailure
                $0.policy.delay.parkAfter = 1000
            }
            let tree = try RunningTree(Plan(children: [main]))
            let client = try tree.client()
            #expect(try client.ask("wait-ready") == .reply(#"{"ready":true}"#))
            let first = try #require(try client.pid("main"))
            kill(first, SIGKILL)
            _ = try client.ask("wait-ready")
            _ = try client.ask("stop main")
            #expect(try client.state("main") == "off")
            #expect(try tree.stop() == .code(0))
        }
    }
}
