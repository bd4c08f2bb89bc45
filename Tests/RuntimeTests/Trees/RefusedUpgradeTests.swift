import Foundation
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

/// An upgrade to a program that is none: nothing is changed, and it is said why.
extension WholeTrees {
    @Suite(.timeLimit(.minutes(2))) struct RefusedUpgradeTests {
        /// A nexusd of its own file, which another one can be put in the place of.
        private final class Installed {
            let directory = TemporaryDirectory()
            let tree: RunningTree
            let before: Int32?
            var path: String { directory.path + "/nexusd" }

            init() throws {
                let path = directory.path + "/nexusd"
                try FileManager.default.copyItem(atPath: Built.nexusd, toPath: path)
                tree = try RunningTree(
                    Plan(children: [logWriter, script("plain", "echo here; exec sleep 600")]), program: path)
                let client = try tree.client()
                _ = try client.ask("wait-ready")
                before = try client.pid("plain")
            }

            /// By a rename, as a package does it.
            func replace(_ text: String, mode: UInt16 = 0o755) throws {
                try LiveKernel().replaceFile(path, with: Array(text.utf8), mode: mode)
            }

            /// Why it was refused before anything was handed over.
            func refusal() throws -> String {
                switch try ControlPeer(tree.socket).ask("upgrade") {
                case .error(let code, let message):
                    #expect(code == "failed")
                    return message
                case .reply(let text), .stream(let text): return text
                }
            }

            /// The tree is as it was, and an upgrade to a program that is one goes well.
            func goesOn() throws {
                let client = try tree.client()
                #expect(try client.pid("plain") == before)
                #expect(try client.state("plain") == "ready")
                let notes = try client.object("status")["notes"] as? [String] ?? []
                #expect(notes.contains { $0.contains("the upgrade of") && $0.contains("was refused") }, "\(notes)")
                let mended = directory.path + "/mended"
                try FileManager.default.copyItem(atPath: Built.nexusd, toPath: mended)
                try LiveKernel().rename(mended, to: path)
                #expect(try upgrade(tree.socket)["outcome"] as? String == "done")
                #expect(try tree.client().pid("plain") == before)
                #expect(try tree.stop() == .code(0))
            }
        }

        @Test func programThatIsNone_isRefusedWithItsWords() throws {
            let installed = try Installed()
            try installed.replace("#!/bin/sh\necho 'I am no nexusd' >&2\nexit 1\n")
            let why = try installed.refusal()
            #expect(why.contains("--check-handover") && why.contains("I am no nexusd"), "\(why)")
            try installed.goesOn()
        }

        @Test func programThatIsMissing_orMayNotBeExecuted_isRefused() throws {
            let installed = try Installed()
            try LiveKernel().removeFile(installed.path)
            #expect(try installed.refusal().contains("ENOENT"))
            try installed.replace("#!/bin/sh\n", mode: 0o644)
            #expect(try installed.refusal().contains("EACCES"))
            try installed.goesOn()
        }

        /// By the stage the runs are kept, should the program that takes over not serve.
        @Test func stageThatCannotBeWritten_nothingIsHandedOver() throws {
            let installed = try Installed()
            let stage = installed.tree.runtime + "/stage"
            try LiveKernel().removeFile(stage)
            try FileManager.default.createDirectory(atPath: stage + "/full", withIntermediateDirectories: true)
            let answer = try upgrade(installed.tree.socket)
            let why = answer["why"] as? String ?? ""
            #expect(
                answer["outcome"] as? String == "failed" && why.contains(stage) && why.contains("EISDIR"), "\(answer)")
            try FileManager.default.removeItem(atPath: stage)
            try installed.goesOn()
        }

        @Test func programThatGivesNoAnswer_isKilled_andRefused() throws {
            let installed = try Installed()
            try installed.replace("#!/bin/sh\nexec sleep 600\n")
            #expect(try installed.refusal().contains("gave no answer"))
            try installed.goesOn()
        }

        @Test func programThatPassesTheCheck_andRefusesTheRestore_isFollowedByTheOneBefore() throws {
            let installed = try Installed()
            try installed.replace(
                """
                #!/bin/sh
                [ "$1" = --check-handover ] && exec \(Built.nexusd) --check-handover
                exec \(Built.nexusd) "$@" --no-such-option
                """)
            let outcome = try upgrade(installed.tree.socket)
            #expect(outcome["outcome"] as? String == "failed")
            #expect((outcome["why"] as? String ?? "").contains("--no-such-option"), "\(outcome)")
            #expect(try installed.tree.client().object("version")["pid"] as? Int == Int(installed.tree.processID))
            try installed.goesOn()
        }

        @Test func programThatIsGoneAfterTheCheck_isRefused() throws {
            let installed = try Installed()
            try installed.replace(
                "#!/bin/sh\nrm \"$0\"\nexec \(Built.nexusd) \"$@\"\n")
            let outcome = try upgrade(installed.tree.socket)
            #expect(outcome["outcome"] as? String == "failed")
            #expect((outcome["why"] as? String ?? "").contains("cannot be executed"), "\(outcome)")
            try installed.goesOn()
        }
    }
}
