import CNexus
import SupervisorCore
import System
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SpawnDescriptorTests {
    /// The open descriptors below 40; a glob or `ls` would show one of its own.
    private let listing = """
        n=0; while [ $n -lt 40 ]; do [ -e /proc/$$/fd/$n ] && echo $n; n=$((n + 1)); done; true
        """

    @Test func everythingElse_isClosed() throws {
        let kernel = LiveKernel()
        // Without close-on-exec, as a careless library would leave it.
        let leaky = try kernel.open("/dev/null", .readOnly, mode: 0)
        _ = nexus_fcntl(leaky.raw, F_SETFD, 0)
        let (output, _) = try shell(listing)
        #expect(output == "0\n1\n2\n")
    }

    @Test func gapsBetweenTargets_areClosed() throws {
        let kernel = LiveKernel()
        let null = try kernel.open("/dev/null", .readOnly, mode: 0)
        let (output, _) = try shell(listing) { image in
            image.descriptors.append(DescriptorMapping(source: null.raw, target: 5))
            image.descriptors.append(DescriptorMapping(source: null.raw, target: 9))
        }
        #expect(output == "0\n1\n2\n5\n9\n")
    }

    @Test func targetsThatAreEachOthersSources_areExchanged() async {
        await #expect(processExitsWith: .success) {
            let kernel = LiveKernel()
            let directory = TemporaryDirectory()
            try kernel.replaceFile(directory.path + "/a", with: Array("content of a\n".utf8), mode: 0o600)
            try kernel.replaceFile(directory.path + "/b", with: Array("content of b\n".utf8), mode: 0o600)
            let a = try kernel.open(directory.path + "/a", .readOnly, mode: 0)
            let b = try kernel.open(directory.path + "/b", .readOnly, mode: 0)
            // Wherever the runner keeps descriptors of its own: numbers that are free, and above all that were opened.
            let x = nexus_fcntl(a.raw, F_DUPFD, 30)
            let y = nexus_fcntl(b.raw, F_DUPFD, 30)
            try #require(x >= 30 && y > x)
            let fds = "/proc/$$/fd"
            let script = "cat \(fds)/\(x) \(fds)/\(y); [ -e \(fds)/\(a.raw) ] || echo closed"
            let (output, _) = try shell(script) { image in
                image.descriptors.append(DescriptorMapping(source: x, target: y))
                image.descriptors.append(DescriptorMapping(source: y, target: x))
            }
            try #require(output == "content of b\ncontent of a\nclosed\n")
        }
    }

    @Test func sourceThatIsItsOwnTarget_staysOpen() async {
        await #expect(processExitsWith: .success) {
            let kernel = LiveKernel()
            let null = try kernel.open("/dev/null", .readOnly, mode: 0)
            let own = null.raw
            let (output, _) = try shell("readlink /proc/$$/fd/\(own)") { image in
                image.descriptors.append(DescriptorMapping(source: own, target: own))
            }
            try #require(output == "/dev/null\n")
        }
    }

    @Test func manySpawnsAndFailures_leakNothing() async {
        await #expect(processExitsWith: .success) {
            let kernel = LiveKernel()
            var image = SpawnImage(executable: "/bin/true", arguments: ["true"], environment: [])
            let leaks = try leaksDescriptors(over: 100) {
                for executable in ["/nonexistent", "/bin/true", "/bin/true"] {
                    image.executable = executable
                    if let spawned = try? kernel.spawn(image) {
                        let isThere = executable == "/bin/true"
                        try #require(try waitForExit(spawned) == .code(isThere ? 0 : 127))
                        try #require((kernel.failure(in: spawned.report) == nil) == isThere)
                    }
                }
            }
            try #require(!leaks)
            #expect(throws: Errno.noChild) { try kernel.peekEnded() }
        }
    }
}
