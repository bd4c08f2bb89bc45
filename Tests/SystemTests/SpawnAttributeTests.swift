import CNexus
import Glibc
import SupervisorCore
import System
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SpawnAttributeTests {
    @Test func plainImage_childHasItsArgumentsAndOnlyItsEnvironment() throws {
        let (output, exit) = try shell("echo $0 $1; env | sort") { image in
            image.arguments = ["sh", "-c", "echo $0 $1; env | sort", "zero", "one two"]
            image.environment = ["B=2", "A=1 with space"]
        }
        let lines = output.split(separator: "\n").map(String.init)
        // The shell itself adds PWD.
        #expect(lines.filter { !$0.hasPrefix("PWD=") } == ["zero one two", "A=1 with space", "B=2"])
        #expect(exit == .code(0))
    }

    @Test func umaskDirectoryNiceAndOomScore_areAsAsked() throws {
        let (output, _) = try shell("umask; pwd; nice; cat /proc/self/oom_score_adj") { image in
            image.umask = 0o027
            image.directory = "/usr"
            image.nice = 3
            image.oomScoreAdjust = 500
        }
        #expect(output == "0027\n/usr\n3\n500\n")
    }

    @Test func limits_softAndHardAreAsAsked() throws {
        let (output, _) = try shell("ulimit -Sn; ulimit -Hn; ulimit -c") { image in
            image.limits = [
                ResourceLimit(resource: ResourceLimit.openFiles, soft: 20, hard: 30),
                ResourceLimit(resource: 4, soft: 0, hard: 0),
            ]
        }
        #expect(output == "20\n30\n0\n")
    }

    @Test(arguments: [true, false]) func session_isNewOnlyWhenAsked(asked: Bool) throws {
        let (output, _) = try shell("cut -d' ' -f1,6 /proc/$$/stat") { $0.newSession = asked }
        let numbers = output.split(whereSeparator: \.isWhitespace).map(String.init)
        #expect((numbers.first == numbers.last) == asked)
    }

    @Test(arguments: [true, false]) func terminal_isThatOfTheSessionOnlyWhenAsked(asked: Bool) throws {
        let master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)
        defer { close(master) }
        #expect(grantpt(master) == 0 && unlockpt(master) == 0)
        let slave = try LiveKernel().open(
            String(cString: ptsname(master)), OpenFlags(rawValue: O_RDWR | O_NOCTTY), mode: 0)
        let (output, _) = try shell("(: </dev/tty) 2>/dev/null && echo there") { image in
            image.descriptors[0] = DescriptorMapping(source: slave.raw, target: 0)
            image.takesTerminal = asked
        }
        #expect(output == (asked ? "there\n" : ""))
    }

    @Test func terminal_thatIsNone_failsInItsStage() {
        var image = SpawnImage(executable: "/bin/true", arguments: ["true"], environment: [])
        image.takesTerminal = true
        #expect(failure(of: image)?.stage == .session)
    }

    @Test(arguments: [true, false]) func noNewPrivileges_isSetOnlyWhenAsked(asked: Bool) throws {
        let (output, _) = try shell("grep NoNewPrivs /proc/self/status") { $0.noNewPrivileges = asked }
        #expect(output == "NoNewPrivs:\t\(asked ? 1 : 0)\n")
    }

    @Test(.enabled(if: isRoot, "needs root")) func identity_replacesUidGidAndGroups() throws {
        let (output, _) = try shell("id -ru; id -u; id -rg; id -G; grep -E '^(Cap(Eff|Prm))' /proc/self/status") {
            $0.identity = SpawnIdentity(user: 65_534, group: 65_533, groups: [65_533, 65_531])
        }
        #expect(
            output == """
                65534
                65534
                65533
                65533 65531
                CapPrm:\t0000000000000000
                CapEff:\t0000000000000000

                """)
    }

    @Test(.enabled(if: isRoot, "needs root")) func identity_directoryIsEnteredAsTheChildsUser() throws {
        let directory = TemporaryDirectory()
        let kernel = LiveKernel()
        try kernel.changeOwner(directory.path, user: 65_534, group: 65_534)
        let (output, _) = try shell("pwd") { image in
            image.identity = SpawnIdentity(user: 65_534, group: 65_534)
            image.directory = directory.path
        }
        #expect(output == directory.path + "\n")
        try kernel.changeOwner(directory.path, user: 65_533, group: 65_533)
        var image = SpawnImage(executable: "/bin/true", arguments: ["true"], environment: [])
        image.identity = SpawnIdentity(user: 65_534, group: 65_534)
        image.directory = directory.path
        #expect(failure(of: image) == SpawnFailure(stage: .directory, error: .noAccess))
    }

    @Test(.enabled(if: isRoot, "needs root")) func identity_supervisorStaysDumpable() async {
        await #expect(processExitsWith: .success) {
            _ = try shell("true") { $0.identity = SpawnIdentity(user: 65_534, group: 65_534) }
            // The child's uid change makes its memory undumpable, not ours: /proc/self would then be root's.
            try #require(nexus_get_dumpable() == 1)
        }
    }

    @Test func pidVariable_isTheChildsOwnPid() throws {
        let (output, _) = try shell("echo $WATCHDOG_PID $$ $OTHER_PID") {
            $0.pidVariables = ["WATCHDOG_PID", "OTHER_PID"]
        }
        let numbers = Set(output.split(whereSeparator: \.isWhitespace))
        #expect(numbers.count == 1)
        #expect(numbers.first?.allSatisfy(\.isNumber) == true)
    }

    @Test func signals_ignoredAndBlockedOnesAreResetInTheChild() async {
        await #expect(processExitsWith: .success) {
            let kernel = LiveKernel()
            try kernel.ignore([.pipe, .hangUp])
            try kernel.block([.terminate, .user1, .interrupt])
            let (output, _) = try shell("grep -E '^Sig(Blk|Ign)' /proc/self/status")
            try #require(output == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n")
        }
    }

    // In a process of its own: the ended child is not reaped, and a zombie would be all the testing library's own
    // waitid(P_ALL) ever sees.
    @Test func deathSignal_endsTheChildWithTheThreadThatSpawnedIt() async {
        await #expect(processExitsWith: .success) {
            let pipe = try LiveKernel().makePipe(blocking: .write)
            let read = pipe.read
            let writeEnd = pipe.write.release()
            try NativeThread.start("spawner") {
                var image = SpawnImage(executable: "/bin/sleep", arguments: ["sleep", "600"], environment: [])
                image.descriptors = [DescriptorMapping(source: writeEnd, target: 1)]
                image.deathSignal = .kill
                do {
                    let spawned = try LiveKernel().spawn(image)
                    _ = close(writeEnd)
                    // Until it is executed; a thread that ends before it has asked for the signal is none to die with.
                    guard try waitUntil(spawned.report) else { exit(1) }
                } catch { exit(1) }
            }
            // The end of file says that the child is gone.
            try #require(try waitUntil(read))
            try #require(try readToEnd(read).isEmpty)
        }
    }
}
