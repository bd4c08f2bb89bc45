import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing

@testable import Runtime

extension WholeTrees {
    /// As whom and with which rights a child runs, and its probes, as the kernel says it (proc(5)); needs root.
    @Suite(.timeLimit(.minutes(1)), .enabled(if: geteuid() == 0, "only root can give a child another uid"))
    struct RightsTests {
        private static let own = Identity(uid: 54_321, gid: 54_322, groups: [65_531, 65_530], user: "own")
        private static let bindService: UInt64 = 1 << 10
        private static let chown: UInt64 = 1
        private let kernel = LiveKernel()

        /// What /proc/PID/status says.
        private struct Rights: Hashable {
            var user = "0"
            var group = "0"
            var groups = ""
            var noNewPrivileges = "0"
            var bounding: UInt64 = 0
            var permitted: UInt64 = 0
            var effective: UInt64 = 0
            var inheritable: UInt64 = 0
            var ambient: UInt64 = 0

            init(bounding: UInt64, effective: UInt64) {
                self.bounding = bounding
                permitted = effective
                self.effective = effective
            }

            init(_ status: String) {
                var fields: [String: String] = [:]
                for line in status.split(separator: "\n") {
                    let words = line.split(whereSeparator: { " \t:".contains($0) }).map(String.init)
                    if let key = words.first { fields[key] = words.dropFirst().joined(separator: " ") }
                }
                func set(_ key: String) -> UInt64 { UInt64(fields[key] ?? "", radix: 16) ?? .max }
                // Real, effective, saved, file system: one and the same.
                func one(_ key: String) -> String {
                    let ids = Set((fields[key] ?? "?").split(separator: " "))
                    return ids.count == 1 ? ids.map(String.init)[0] : fields[key] ?? "?"
                }
                user = one("Uid")
                group = one("Gid")
                groups = fields["Groups"] ?? "?"
                noNewPrivileges = fields["NoNewPrivs"] ?? "?"
                (bounding, permitted, effective) = (set("CapBnd"), set("CapPrm"), set("CapEff"))
                (inheritable, ambient) = (set("CapInh"), set("CapAmb"))
            }
        }

        /// A child that leaves what the kernel says of it in a file of its name, whole, then stays.
        private func witness(
            _ name: String, _ folder: TemporaryDirectory, _ identity: Identity? = nil, noNewPrivileges: Bool,
            _ capabilities: Capabilities = Capabilities()
        ) -> ChildPlan {
            let file = "\(folder.path)/\(name)"
            let look = "grep -E '^(Uid|Gid|Groups|NoNewPrivs|Cap...):' /proc/self/status >\(file).new"
            return script(name, "\(look); mv \(file).new \(file); exec sleep 1000") {
                $0.identity = identity
                $0.noNewPrivileges = noNewPrivileges
                $0.capabilities = capabilities
            }
        }

        /// A directory in which any uid may leave files.
        private func openFolder() throws -> TemporaryDirectory {
            let folder = TemporaryDirectory()
            try kernel.changeMode(folder.path, to: 0o777)
            return folder
        }

        private func text(_ path: String) throws -> String {
            var text = ""
            try waitFor(path) {
                text = (try? kernel.readFile(path, limit: 65_536)).map { String(decoding: $0, as: UTF8.self) } ?? ""
                return !text.isEmpty
            }
            return text
        }

        @Test func rights_areWhatTheSettingsSay_andForAnotherUserNoneUnlessAskedFor() throws {
            let (bind, chown, own) = (Self.bindService, Self.chown, Self.own)
            let folder = try openFolder()
            let both = Capabilities(bounding: chown | bind, ambient: bind)
            let tree = try RunningTree(
                Plan(children: [
                    witness("plain", folder, noNewPrivileges: false),
                    witness("locked", folder, noNewPrivileges: true),
                    witness("bounded", folder, noNewPrivileges: true, Capabilities(bounding: chown)),
                    witness("other", folder, own, noNewPrivileges: true),
                    witness("gainer", folder, own, noNewPrivileges: false),
                    witness("binder", folder, own, noNewPrivileges: true, Capabilities(ambient: bind)),
                    witness("both", folder, own, noNewPrivileges: true, both),
                    witness("open-binder", folder, own, noNewPrivileges: false, Capabilities(ambient: bind)),
                ]))
            let nexusd = Rights(try text("/proc/\(tree.processID)/status"))
            #expect(nexusd.bounding > bind, "a test of rights needs some")
            func found(_ name: String) throws -> Rights { Rights(try text(folder.path + "/" + name)) }
            func root(_ bounding: UInt64, locked: String) -> Rights {
                var rights = Rights(bounding: bounding, effective: bounding)
                (rights.groups, rights.inheritable) = (nexusd.groups, nexusd.inheritable)
                rights.noNewPrivileges = locked
                return rights
            }
            func other(_ bounding: UInt64, ambient: UInt64, locked: String) -> Rights {
                var rights = Rights(bounding: bounding, effective: ambient)
                (rights.user, rights.group, rights.groups) = ("54321", "54322", "65530 65531")
                (rights.inheritable, rights.ambient) = (ambient, ambient)
                rights.noNewPrivileges = locked
                return rights
            }
            #expect(try found("plain") == root(nexusd.bounding, locked: "0"))
            #expect(try found("locked") == root(nexusd.bounding, locked: "1"))
            #expect(try found("bounded") == root(chown, locked: "1"))
            #expect(try found("other") == other(0, ambient: 0, locked: "1"))
            // A setuid program it may run is of use to it only with a right to use.
            #expect(try found("gainer") == other(nexusd.bounding, ambient: 0, locked: "0"))
            #expect(try found("binder") == other(bind, ambient: bind, locked: "1"))
            #expect(try found("both") == other(chown | bind, ambient: bind, locked: "1"))
            #expect(try found("open-binder") == other(nexusd.bounding, ambient: bind, locked: "0"))
            #expect(try tree.stop() == .code(0))
        }

        @Test(.enabled(if: TestCgroup.isPossible, "needs root and a cgroup v2 mount"))
        func execProbe_isOfTheChildsUserGroupsAndRights_inItsCgroup() throws {
            let folder = try openFolder()
            func look(_ name: String) -> String {
                let file = "\(folder.path)/\(name)"
                let words = "id -u; id -g; id -G; grep ^0:: /proc/self/cgroup"
                let rights = "grep -E '^(NoNewPrivs|Cap...):' /proc/self/status"
                return "{ \(words); \(rights); } >\(file).new && mv \(file).new \(file)"
            }
            let probe = Probe.exec(
                executable: "/bin/sh", arguments: [Text("sh"), Text("-c"), Text(look("probe"))], timeout: .seconds(10))
            let checked = script("checked", look("child") + "; exec sleep 1000") {
                $0.identity = Self.own
                $0.noNewPrivileges = true
                $0.capabilities = Capabilities(ambient: Self.bindService)
                $0.readiness = .probe(probe)
                $0.policy.ready = .probed(interval: .milliseconds(50))
            }
            let cgroup = try TestCgroup()
            let tree = try RunningTree(Plan(children: [checked]), environment: ["NEXUS_CGROUP=\(cgroup.path)"])
            let client = try tree.client()
            #expect(try client.ask("wait-ready") == .reply(#"{"ready":true}"#))
            let run = try #require(client.status("checked")["run"] as? String)
            let ofProbe = try text(folder.path + "/probe").split(separator: "\n")
            #expect(try ofProbe == text(folder.path + "/child").split(separator: "\n"))
            #expect(ofProbe.prefix(2) == ["54321", "54322"])
            #expect(ofProbe.dropFirst(2).first.map { Set($0.split(separator: " ")) } == ["54322", "65530", "65531"])
            #expect(ofProbe.dropFirst(3).first?.hasSuffix("/run-checked-\(run)") == true, "\(ofProbe)")
            #expect(ofProbe.count == 10 && ofProbe.contains("CapEff:\t0000000000000400"), "\(ofProbe)")
            #expect(try tree.stop() == .code(0))
            try cgroup.removeEmptied()
        }
    }
}
