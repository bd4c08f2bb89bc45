import Foundation
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    /// Secrets of two kinds are planted in a tree, and everything that others can see is searched for them.
    @Suite(.timeLimit(.minutes(1))) struct CanaryTests {
        private static let fromFile = "canary-file-1f6e0a7c-\(unique)"
        private static let fromCredential = "canary-credential-93b2d4-\(unique)"
        /// Other processes of the machine are looked at too, and among them may be another run of this very test.
        private static let unique = UInt64.random(in: 0 ... .max)

        private func plan(_ directory: String) -> Plan {
            let holder = script(
                "holder",
                "echo \"I hold $TOKEN and $(cat \"$CREDENTIALS_DIRECTORY\"/given)\"; echo told; exec sleep 1000"
            ) { child in
                child.environment.append(Variable(name: "TOKEN", value: Text(pieces: [.secret(0)])))
                child.secretFiles = [1]
                child.readiness = .logLine(LinePattern(pieces: [.literal("told")]))
                child.policy.ready = .reported
            }
            return Plan(
                children: [logWriter, holder, child("other", "serve")],
                secrets: [
                    SecretPlan(name: "token", source: .file(directory + "/token")),
                    SecretPlan(name: "given", source: .credential("given")),
                ])
        }

        @Test func plantedSecrets_areFoundNowhereButWhereTheyBelong() throws {
            let kernel = LiveKernel()
            let secrets = TemporaryDirectory()
            try kernel.replaceFile(secrets.path + "/token", with: Array(Self.fromFile.utf8), mode: 0o600)
            try kernel.replaceFile(secrets.path + "/given", with: Array(Self.fromCredential.utf8), mode: 0o600)
            let tree = try RunningTree(
                plan(secrets.path), environment: ["CREDENTIALS_DIRECTORY=" + secrets.path])
            let client = try tree.client()
            #expect(try client.ask("wait-ready other") == .reply(#"{"ready":true}"#))
            // Its line is what makes it ready, and what log-writer has to blot out first.
            #expect(try client.ask("wait-ready holder") == .reply(#"{"ready":true}"#))
            let holder = try #require(try client.pid("holder"))

            for question in ["status", "why holder", "tree", "version"] {
                try expectClean(String(describing: try client.ask(question)), question)
            }
            try searchProcesses(holder)
            _ = try tree.stop()
            let log = tree.file(tree.state + "/logs/holder/current")
            #expect(log.contains("I hold "))
            try searchFiles(tree.directory.path)
            try expectClean(try tree.said(), "stderr")
        }

        private func expectClean(_ text: String, _ place: String) throws {
            for canary in [Self.fromFile, Self.fromCredential] {
                #expect(!text.contains(canary), "\(canary) in \(place)")
            }
        }

        /// The holder's own environment is the one place in /proc where one of them may be.
        private func searchProcesses(_ holder: Int32) throws {
            let kernel = LiveKernel()
            for name in try kernel.list("/proc") {
                guard let pid = Int32(name), pid != kernel.processID().rawValue else { continue }
                for file in ["cmdline", "environ"] where !(pid == holder && file == "environ") {
                    let bytes = (try? kernel.readFile("/proc/\(pid)/\(file)", limit: 1 << 20)) ?? []
                    try expectClean(String(decoding: bytes, as: UTF8.self), "/proc/\(pid)/\(file)")
                }
            }
        }

        /// Everything that nexusd and log-writer left on disk.
        private func searchFiles(_ directory: String) throws {
            let kernel = LiveKernel()
            for name in try kernel.list(directory) {
                let path = directory + "/" + name
                switch try kernel.status(path, followingLinks: false).kind {
                case .directory: try searchFiles(path)
                case .regular:
                    let bytes = try kernel.readFile(path, limit: 1 << 24)
                    try expectClean(String(decoding: bytes, as: UTF8.self), path)
                case .symbolicLink, .socket, .pipe, .other: break
                }
            }
        }
    }
}
