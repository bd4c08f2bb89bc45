import Testing

@testable import Tunnel

@Suite(.timeLimit(.minutes(1))) struct ShortRunTests {
    private func run(_ script: String, limit: Duration = .seconds(10)) async throws(TunnelError) -> ShortRun.End {
        try await ShortRun(program: "/bin/sh", arguments: ["-c", script], limit: limit).end()
    }

    @Test func end_hasStatusOutputAndErrors() async throws {
        let end = try await run("echo out; echo err >&2; exit 3")
        #expect(end == ShortRun.End(status: 3, output: "out\n", errors: "err\n"))
    }

    @Test(arguments: ["exec sleep 1000", "exec >&- 2>&-; exec sleep 1000"])
    func runWithoutEnd_isKilledAtItsLimit(_ script: String) async throws {
        let error = await #expect(throws: TunnelError.self) { try await run(script, limit: .milliseconds(100)) }
        #expect(error.map { "\($0)" }?.contains("did not end within") == true)
    }

    @Test func longOutput_isCutAndDoesNotHang() async throws {
        let end = try await run("head -c 300000 /dev/zero | tr '\\0' x")
        #expect(end.status == 0 && end.output.utf8.count == ShortRun.outputLimitBytes)
    }
}
