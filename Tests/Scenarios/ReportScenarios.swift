import Foundation
import Testing

/// `nexusctl report`: what it writes over, and what it takes out.
@Suite(.timeLimit(.minutes(2))) struct ReportScenarios {
    private static let tree = "[child.web]\ncommand = [\"FIXTURE\", \"serve\"]\n"

    @Test func linkInThePlaceOfTheArchive_isRefused_wherever_itLeads() throws {
        let box = try Box(Self.tree)
        let (archive, target) = (box.directory + "/r.tgz", box.directory + "/target")
        try FileManager.default.createSymbolicLink(atPath: archive, withDestinationPath: target)
        let refused = try box.ctl("report", "--output", archive)
        #expect(refused.status == 2 && refused.errors.contains("r.tgz is there already"), "\(refused.errors)")
        #expect(!FileManager.default.fileExists(atPath: target))
    }

    /// Whoever owns the directory waits for the moment between the look and the writing.
    @Test func linkThatComesMeanwhile_isNotWrittenThrough() throws {
        let box = try Box(Self.tree)
        let (archive, target) = (box.directory + "/r.tgz", box.directory + "/target")
        let temporary = box.directory + "/tmp"
        try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: false)
        try Data("kept".utf8).write(to: URL(fileURLWithPath: target))
        let report = try Running(
            Programs.path("nexusctl"), ["report", "--output", archive],
            environment: [
                "NEXUS_RUNTIME_DIRECTORY": box.runtime, "NEXUS_STATE_DIRECTORY": box.state, "HOME": box.directory,
                "TMPDIR": temporary,
            ])
        // Its own directory is made behind the look; what it gathers takes many programs' time.
        let deadline = ContinuousClock.now + .seconds(20)
        while try FileManager.default.contentsOfDirectory(atPath: temporary).isEmpty, ContinuousClock.now < deadline {}
        try FileManager.default.createSymbolicLink(atPath: archive, withDestinationPath: target)
        let refused = try report.wait()
        #expect(refused.status == 2 && refused.errors.contains("r.tgz is there already"), "\(refused.errors)")
        #expect(try String(contentsOfFile: target, encoding: .utf8) == "kept")
    }

    @Test func secretsOfFiles_goWhateverTheyBeginWith_pathsOfEnvironmentsStay() throws {
        let box = try Box("")
        let texts = box.directory + "/texts"
        let given = box.runtime + "/credentials/web"
        for directory in [texts, given] {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        }
        let files = [
            box.config: """
            [child.web]
            command = ["web"]
            environment = { PLACE = "/srv/web/place" }
            [secret.key]
            file = "\(box.directory)/key"
            [tunnel]
            credentials-file = "\(box.directory)/tunnel.json"
            token-file = "{state}/token"
            """,
            given + "/door": "/delivered=\n", box.directory + "/key": "/named+in=",
            box.directory + "/tunnel.json": #"{"AccountTag":"an-account","TunnelSecret":"/of+a/tunnel="}"#,
            box.state + "/token": "/to-ken=",
        ]
        try FileManager.default.createDirectory(atPath: box.state, withIntermediateDirectories: true)
        for (path, text) in files { try text.write(toFile: path, atomically: false, encoding: .utf8) }
        let log = texts + "/log.txt"
        try "x /delivered= /named+in= /of+a/tunnel= /to-ken= /srv/web/place an-account".write(
            toFile: log, atomically: false, encoding: .utf8)
        let done = try run(
            Programs.path("nexus-config"),
            ["redact", texts, "--config", box.config, "--state", box.state, "--runtime", box.runtime])
        #expect(done.status == 0, "\(done.errors)")
        #expect(
            try String(contentsOfFile: log, encoding: .utf8)
                == "x [redacted] [redacted] [redacted] [redacted] /srv/web/place an-account")
    }
}
