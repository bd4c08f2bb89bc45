import Glibc
import Plan
import SupervisorCore
import System
import TestSupport
import Testing
import Wire

@testable import Runtime

extension WholeTrees {
    /// Children and clients of another uid; needs root.
    @Suite(.timeLimit(.minutes(1)), .enabled(if: geteuid() == 0, "only root can give a child another uid"))
    struct IdentityTests {
        private static let nobody: UInt32 = 65_534
        private let kernel = LiveKernel()

        @Test func childOfAnotherUser_hasItsUidAlone_andItsOwnPipesAndSocket() throws {
            let program = """
                echo again > /dev/stdout; grep -E '^(Uid|Gid|Groups|NoNewPrivs)' /proc/self/status | tr '\\t\\n' '  '; echo
                echo "socket $(stat -c '%u %a' "$NOTIFY_SOCKET") end"; exec sleep 1000
                """
            let other = script("other", program) { child in
                child.identity = Identity(uid: Self.nobody, gid: Self.nobody, groups: [], user: "nobody")
                child.noNewPrivileges = true
                child.policy.watchdog = .seconds(600)
                child.readiness = .logLine(LinePattern(pieces: [.literal("socket "), .capture(name: "uid")]))
                child.policy.ready = .reported
            }
            let tree = try RunningTree(Plan(children: [logWriter, other]), isOpenToOthers: true)
            #expect(try tree.client().ask("wait-ready") == .reply(#"{"ready":true}"#))
            _ = try tree.stop()
            let log = tree.file(tree.state + "/logs/other/current")
            let uid = "65534 65534 65534 65534"
            #expect(log.contains("again"))
            #expect(log.contains("Uid: \(uid) Gid: \(uid) Groups:   NoNewPrivs: 1"))
            #expect(log.contains("socket 65534 600 end"))
        }

        @Test func oneProcessTooMany_isNamedWithItsLimit() throws {
            let nobody = Identity(uid: Self.nobody, gid: Self.nobody, groups: [], user: "nobody")
            let first = child("first", "serve") { $0.identity = nobody }
            let crowded = child("crowded", "serve") { child in
                child.identity = nobody
                child.policy.requires = [ChildID(rawValue: 1)]
                child.limits = [Limit(resource: ResourceLimit.processes, soft: 0, hard: 0)]
                child.policy.delay = DelayRule(first: .seconds(600), cap: .seconds(600))
            }
            let tree = try RunningTree(Plan(children: [first, crowded]), isOpenToOthers: true)
            let client = try tree.client()
            let end = try client.end(of: "crowded")
            #expect(end["exit"] as? String == "exec: Resource temporarily unavailable (EAGAIN)")
            #expect((end["detail"] as? String)?.contains("`limits.nproc` (0)") == true)
            let why = try client.object("why crowded")
            let keys = (why["settings"] as? [[String: Any]] ?? []).compactMap { $0["key"] as? String }
            #expect(keys.first == "child.crowded.limits.nproc", "\(keys)")
            #expect(try tree.stop() == .code(0))
        }

        /// Connects as nobody, says hello, asks, and says what came.
        private func ask(_ words: String, _ tree: RunningTree) throws -> String {
            let program = """
                import socket, struct, sys
                s = socket.socket(socket.AF_UNIX); s.settimeout(20)
                try: s.connect(sys.argv[1])
                except OSError as e: print("connect:", e.strerror); sys.exit()
                def send(kind, id, text): s.sendall(struct.pack(">IBBHQ", len(text), 1, kind, 0, id) + text)
                send(1, 0, b"1 1 other"); send(3, 1, sys.argv[2].encode())
                whole = b""
                while b'"code"' not in whole and b'"version"' not in whole:
                    more = s.recv(65536)
                    if not more: break
                    whole += more
                print(whole)
                """
            let pipe = try kernel.makePipe(blocking: .write)
            var image = SpawnImage(
                executable: "/usr/bin/python3", arguments: ["python3", "-c", program, tree.socket, words],
                environment: ["PATH=/usr/bin:/bin"])
            image.identity = SpawnIdentity(user: Self.nobody, group: Self.nobody)
            image.descriptors = [
                DescriptorMapping(source: pipe.write.raw, target: 1),
                DescriptorMapping(source: pipe.write.raw, target: 2),
            ]
            let process = try kernel.spawn(image)
            _ = try waitForExit(process)
            return RunningTree.drain(pipe.read, kernel)
        }

        @Test func otherUsers_areJudgedByTheLists() throws {
            guard access("/usr/bin/python3", X_OK) == 0 else { return print("skipped: no python3") }
            func tree(_ supervisor: SupervisorPlan) throws -> RunningTree {
                try RunningTree(
                    Plan(supervisor: supervisor, children: [child("one", "serve")]), isOpenToOthers: true)
            }
            let closed = try tree(SupervisorPlan())
            #expect(try ask("version", closed) == "connect: Permission denied\n")
            let strangers = try tree(SupervisorPlan(readUids: [1]))
            #expect(try ask("version", strangers).contains("uid 65534 may not use this socket"))
            let readers = try tree(SupervisorPlan(readGids: [Self.nobody]))
            #expect(try ask("version", readers).contains(NexusVersion.current))
            #expect(try ask("stop one", readers).contains("refused"))
            let owners = try tree(SupervisorPlan(controlUids: [Self.nobody]))
            #expect(try ask("stop nobody", owners).contains("there is no child"))
        }
    }
}
