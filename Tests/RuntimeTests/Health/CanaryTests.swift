import Foundation
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    /// Secrets of all three kinds are planted in a tree, and everything that others can see is searched for them: before a
    /// reload, after it, and when everything has ended.
    @Suite(.timeLimit(.minutes(1))) struct CanaryTests {
        private static let fromFile = "canary-file-1f6e0a7c-\(unique)"
        private static let fromCredential = "canary-credential-93b2d4-\(unique)"
        /// Other processes of the machine are looked at too, and among them may be another run of this very test.
        private static let unique = UInt64.random(in: 1_000_000_000_000 ... .max)
        private let kernel = LiveKernel()

        /// Says all it holds, and its ready pattern would capture a generated secret. `shift`: another secret comes first in
        /// the file, so that every secret has another number.
        private func plan(_ tree: FileTree, _ secrets: String, shift: Bool = false) -> Plan {
            let first: UInt16 = shift ? 1 : 0
            let words =
                "echo \"I hold $TOKEN $MADE and $(cat \"$CREDENTIALS_DIRECTORY\"/given) key=$MADE\";"
                + " echo \"$MADE$TOKEN\" >&2; trap '' HUP; exec sleep 1000"
            var holder = script("holder", words) { child in
                child.environment.append(Variable(name: "TOKEN", value: Text(pieces: [.secret(first)])))
                child.environment.append(Variable(name: "MADE", value: Text(pieces: [.secret(first + 2)])))
                child.secretFiles = [first + 1]
                child.readiness = .logLine(LinePattern(pieces: [.literal("key="), .capture(name: "key")]))
                child.policy.ready = .reported
                child.policy.delay = .quick
                child.policy.group = GroupID(rawValue: 0)
            }
            if shift { holder.policy.stop.timeout = .seconds(4) }
            var teller = child("teller", "notify-variable", "MADE", readiness: .notify) { child in
                child.environment.append(Variable(name: "MADE", value: Text(pieces: [.secret(first + 2)])))
                child.policy.group = GroupID(rawValue: 0)
            }
            teller.policy.ready = .reported
            let reader = child("reader", "worker", readiness: .bus, worker: WorkerPlan(may: [.status])) { child in
                child.policy.group = GroupID(rawValue: 0)
            }
            let sources = [
                SecretPlan(name: "token", source: .file(secrets + "/token")),
                SecretPlan(name: "given", source: .credential("given")),
                SecretPlan(name: "made", source: .generated(bytes: 16)),
            ]
            return Plan(
                groups: [GroupPlan(name: "g", policy: GroupPolicy(children: (2...4).map { ChildID(rawValue: $0) }))],
                children: [tree.logWriter, holder, teller, reader, child("other", "serve")],
                secrets: (shift ? [SecretPlan(name: "another", source: .generated(bytes: 8))] : []) + sources)
        }

        @Test func plantedSecrets_areFoundNowhereButWhereTheyBelong() throws {
            let secrets = TemporaryDirectory()
            try kernel.replaceFile(secrets.path + "/token", with: Array(Self.fromFile.utf8), mode: 0o600)
            try kernel.replaceFile(secrets.path + "/given", with: Array(Self.fromCredential.utf8), mode: 0o600)
            let tree = try FileTree(Plan(children: [child("none", "serve")]))
            try tree.write(plan(tree, secrets.path))
            let client = try tree.startReady(environment: ["CREDENTIALS_DIRECTORY=" + secrets.path])
            let listener = try ControlPeer(tree.socket)
            let events = try listener.request("events")
            let holder = try #require(try client.pid("holder"))
            let made = try variable("MADE", of: holder)
            #expect(made.count == 32 && made.allSatisfy { "0123456789abcdef".contains($0) })
            let canaries = [Self.fromFile, Self.fromCredential, made]
            let teller = try #require(try client.pid("teller"))
            // What its pattern would have told of it is no value.
            let values = try client.status("holder")["values"] as? [String: String]
            #expect(values == ["key": "[redacted]"])
            #expect(try client.status("teller")["status"] as? String == "my value is [redacted]")

            try search(tree, client, canaries, holders: [holder, teller])
            try tree.write(plan(tree, secrets.path, shift: true))
            try expectClean(String(describing: try client.ask("diff")), canaries, "diff")
            try expectClean(String(describing: try client.ask("reload")), canaries, "reload")
            #expect(try client.pid("holder") == holder, "its secrets are the same, so it goes on")
            // A run that is made anew beside a living one is given the same.
            #expect(try client.ask("restart holder") == .reply(#"{"outcome":"done"}"#))
            let second = try #require(try client.pid("holder"))
            #expect(try second != holder && variable("MADE", of: second) == made)
            #expect(try variable("MADE", of: teller) == made)
            kill(second, SIGKILL)
            let third = try client.event(client.request("events")) { event in
                event["message_id"] as? String == EventKind.ready.messageID && event["child"] as? String == "holder"
            }
            try expectClean("\(third)", canaries, "event")
            let last = try #require(try client.pid("holder"))
            try search(tree, client, canaries, holders: [last, teller])

            try tree.signal(.terminate)
            while let frame = try? listener.next() {
                if frame.header.id == events {
                    try expectClean(String(decoding: frame.payload, as: UTF8.self), canaries, "events")
                }
            }
            #expect(try tree.end() == .code(0))
            let log = String(
                decoding: try kernel.readFile(tree.state + "/logs/holder/current", limit: 1 << 20), as: UTF8.self)
            #expect(log.contains("I hold [redacted] [redacted] and [redacted] key=[redacted]"))
            #expect(log.contains("[redacted][redacted]"))
            try searchFiles(tree.directory.path, canaries)
            try expectClean(tree.said(), canaries, "stderr")
        }

        /// Every answer, as JSON and as words, every process but the holders, and every file.
        private func search(
            _ tree: FileTree, _ client: ControlPeer, _ canaries: [String], holders: [Int32]
        ) throws {
            for question in [
                "status", "status holder", "why holder", "why teller", "tree", "version", "history", "history holder",
                "metrics", "is-ready", "diff",
            ] {
                try expectClean(String(describing: try client.ask(question)), canaries, question)
            }
            for words in [
                ["status"], ["tree"], ["why", "holder"], ["why", "teller"], ["history"], ["history", "holder"],
                ["metrics"], ["events"], ["logs"], ["logs", "holder"], ["diff"], ["doctor"], ["is-ready"], ["version"],
            ] {
                for words in [words, words + ["--json"]] {
                    let answer = try tree.ctl(words)
                    #expect(!(answer.output + answer.errors).isEmpty || words[0] == "is-ready", "\(words) said nothing")
                    try expectClean(answer.output + answer.errors, canaries, "nexusctl \(words)")
                }
            }
            try searchProcesses(canaries, holders)
            try searchFiles(tree.directory.path, canaries)
        }

        private func expectClean(_ text: String, _ canaries: [String], _ place: String) throws {
            try expectClean(Array(text.utf8), canaries, place)
        }

        private func expectClean(_ bytes: [UInt8], _ canaries: [String], _ place: String) throws {
            let data = Data(bytes)
            for canary in canaries {
                // Half of one would be as bad.
                let isThere = data.range(of: Data(canary.utf8.suffix(12))) != nil
                #expect(!isThere, "\(canary) in \(place)")
            }
        }

        private func variable(_ name: String, of process: Int32) throws -> String {
            let bytes = try kernel.readFile("/proc/\(process)/environ", limit: 1 << 20)
            let words = String(decoding: bytes, as: UTF8.self).split(separator: "\0")
            return words.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) } ?? ""
        }

        /// A holder's own environment is the one place in /proc where one of them may be. nexusd, log-writer, the worker and
        /// whatever else runs on this machine are among the others.
        private func searchProcesses(_ canaries: [String], _ holders: [Int32]) throws {
            for name in try kernel.list("/proc") {
                guard let pid = Int32(name), pid != kernel.processID().rawValue else { continue }
                for file in ["cmdline", "environ"] where !(holders.contains(pid) && file == "environ") {
                    let bytes = (try? kernel.readFile("/proc/\(pid)/\(file)", limit: 1 << 20)) ?? []
                    try expectClean(bytes, canaries, "/proc/\(pid)/\(file)")
                }
            }
        }

        /// Everything that nexusd and log-writer keep on disk, but for the private files of a living holder.
        private func searchFiles(_ directory: String, _ canaries: [String]) throws {
            for name in try kernel.list(directory) {
                let path = directory + "/" + name
                // The program itself is no place where it writes.
                guard !path.hasSuffix("/run/credentials"), name != "nexusd",
                    let status = try? kernel.status(path, followingLinks: false)
                else { continue }
                switch status.kind {
                case .directory: try searchFiles(path, canaries)
                case .regular:
                    let bytes = (try? kernel.readFile(path, limit: 1 << 28)) ?? []
                    try expectClean(bytes, canaries, path)
                case .symbolicLink, .socket, .pipe, .other: break
                }
            }
        }
    }
}
