import CNexus
import SupervisorCore
import System
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SpawnFailureTests {
    private func image(_ adjust: (inout SpawnImage) -> Void) -> SpawnImage {
        var image = SpawnImage(executable: "/bin/true", arguments: ["true"], environment: [])
        adjust(&image)
        return image
    }

    @Test func stages_haveTheNumbersOfTheShim() {
        let numbers: [SpawnStage: nexus_spawn_stage] = [
            .prepare: NEXUS_STAGE_PREPARE, .cgroup: NEXUS_STAGE_CGROUP, .clone: NEXUS_STAGE_CLONE,
            .session: NEXUS_STAGE_SESSION, .scheduling: NEXUS_STAGE_SCHEDULING, .files: NEXUS_STAGE_FILES,
            .limits: NEXUS_STAGE_LIMITS, .identity: NEXUS_STAGE_IDENTITY, .directory: NEXUS_STAGE_DIRECTORY,
            .privileges: NEXUS_STAGE_PRIVILEGES, .signals: NEXUS_STAGE_SIGNALS, .exec: NEXUS_STAGE_EXEC,
        ]
        for stage in SpawnStage.allCases { #expect(numbers[stage]?.rawValue == UInt32(stage.rawValue)) }
    }

    @Test func missingExecutable_isExecENOENT() {
        #expect(failure(of: image { $0.executable = "/nonexistent" }) == SpawnFailure(stage: .exec, error: .noEntry))
    }

    @Test func directoryAsExecutable_isExecEACCES() {
        #expect(failure(of: image { $0.executable = "/usr" }) == SpawnFailure(stage: .exec, error: .noAccess))
    }

    @Test func textFileWithoutInterpreter_isExecENOEXEC() throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/text"
        try LiveKernel().replaceFile(path, with: Array("no program\n".utf8), mode: 0o755)
        let failure = failure(of: image { $0.executable = path })
        #expect(failure == SpawnFailure(stage: .exec, error: Errno(rawValue: ENOEXEC)))
    }

    @Test func missingDirectory_isDirectoryENOENT() {
        #expect(
            failure(of: image { $0.directory = "/nonexistent" }) == SpawnFailure(stage: .directory, error: .noEntry))
    }

    @Test func closedSource_isFilesEBADF() {
        let failure = failure(of: image { $0.descriptors = [DescriptorMapping(source: 900, target: 3)] })
        #expect(failure == SpawnFailure(stage: .files, error: Errno(rawValue: EBADF)))
    }

    @Test func softAboveHard_isLimitsEINVAL() {
        let failure = failure(
            of: image { $0.limits = [ResourceLimit(resource: ResourceLimit.openFiles, soft: 30, hard: 20)] })
        #expect(failure == SpawnFailure(stage: .limits, error: .invalid))
    }

    @Test func impossibleOomScore_isSchedulingEINVAL() {
        #expect(failure(of: image { $0.oomScoreAdjust = 2000 }) == SpawnFailure(stage: .scheduling, error: .invalid))
    }

    @Test func noCgroupDirectory_isCgroupEBADF() throws {
        let directory = try LiveKernel().open("/tmp", [.path, .directory], mode: 0)
        let raw = directory.raw
        #expect(failure(of: image { $0.cgroup = raw }) == SpawnFailure(stage: .cgroup, error: Errno(rawValue: EBADF)))
        _ = consume directory
    }

    @Test(.enabled(if: isRoot, "needs root")) func uidWithoutTheRight_isIdentityEPERM() async {
        await #expect(processExitsWith: .success) {
            try #require(setresuid(65_534, 65_534, 65_534) == 0)
            var image = SpawnImage(executable: "/bin/true", arguments: ["true"], environment: [])
            image.identity = SpawnIdentity(user: 65_533, group: 65_533)
            try #require(failure(of: image) == SpawnFailure(stage: .identity, error: .notPermitted))
            // Lowering the oom score is not permitted either, but it is no reason to fail.
            image.identity = nil
            image.oomScoreAdjust = -500
            try #require(failure(of: image) == nil)
            image.nice = -5
            try #require(failure(of: image)?.stage == .scheduling)
        }
    }

    @Test func nulInAnyText_isRefusedBeforeAnything() {
        let refused = SpawnFailure(stage: .prepare, error: .invalid)
        #expect(failure(of: image { $0.executable = "/bin/true\0x" }) == refused)
        #expect(failure(of: image { $0.arguments = ["a\0b"] }) == refused)
        #expect(failure(of: image { $0.environment = ["A=\0"] }) == refused)
        #expect(failure(of: image { $0.directory = "/\0" }) == refused)
    }

    @Test func doubledTarget_isRefused() {
        let twice = [DescriptorMapping(source: 0, target: 3), DescriptorMapping(source: 1, target: 3)]
        #expect(failure(of: image { $0.descriptors = twice }) == SpawnFailure(stage: .prepare, error: .invalid))
    }

    @Test func tooManyProcesses_isCloneEAGAIN() async {
        await #expect(processExitsWith: .success) {
            if isRoot { try #require(setresuid(54_321, 54_321, 54_321) == 0) }
            try LiveKernel().setLimit(ResourceLimit(resource: 6, soft: 1, hard: 1))  // RLIMIT_NPROC
            let image = SpawnImage(executable: "/bin/true", arguments: ["true"], environment: [])
            try #require(failure(of: image) == SpawnFailure(stage: .clone, error: .again))
        }
    }
}
