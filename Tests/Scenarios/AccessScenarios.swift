import Foundation
import Testing

/// Who may do what; one instance a box; files left for people.
@Suite(.timeLimit(.minutes(2))) struct AccessScenarios {
    @Test func secondInstance_isRefusedWithTheHoldersPid() throws {
        let box = try Box("[child.a]\ncommand = [\"FIXTURE\", \"serve\"]\n")
        try box.start()
        let second = try run(
            Programs.path("nexusd"), ["--config", box.config, "--state", box.state, "--runtime", box.runtime])
        #expect(second.status == 3)
        #expect(second.errors.contains("\(box.pid)"))
        #expect(try box.status().pid == box.pid)
        #expect(box.stop() == 0)
    }

    @Test func pidFiles_areThereWhileRunsLive() throws {
        let box = try Box("[child.a]\ncommand = [\"FIXTURE\", \"serve\"]\n")
        try box.start()
        try box.waitReady()
        func pid(_ name: String) -> Int32? {
            (try? String(contentsOfFile: "\(box.runtime)/pid/\(name).pid", encoding: .utf8)).flatMap {
                Int32($0.trimmingCharacters(in: .whitespacesAndNewlines))
            }
        }
        #expect(pid("nexusd") == box.pid)
        #expect(try pid("a") == box.status().pid("a"))
        #expect(try box.ctl("stop", "a").status == 0)
        #expect(pid("a") == nil)
        #expect(box.stop() == 0)
        #expect(pid("nexusd") == nil)
    }

    @Test(.enabled(if: getuid() == 0, "needs root to become somebody else"))
    func anotherUser_isRefusedInWords() throws {
        let box = try Box("[child.a]\ncommand = [\"FIXTURE\", \"serve\"]\n")
        try box.start()
        try box.waitReady()
        // The socket's mode keeps others out; whoever may connect all the same is told why he is refused.
        chmod(box.directory, 0o755)
        chmod(box.runtime, 0o755)
        chmod(box.runtime + "/control.sock", 0o666)
        let answer = try run(
            "/usr/bin/setpriv",
            [
                "--reuid=65534", "--regid=65534", "--clear-groups", Programs.path("nexusctl"), "--runtime", box.runtime,
                "stop", "a",
            ],
            environment: ["PATH": "/usr/bin:/bin"])
        #expect(answer.status == 4, "\(answer.errors)")
        #expect(answer.errors.contains("65534") || answer.errors.contains("nobody"))
        #expect(try box.status().child("a")?.state == "ready")
        #expect(box.stop() == 0)
    }

    @Test func childOfTheTree_isRefusedAtTheControlSocket() throws {
        let box = try Box(
            """
            [child.spy]
            command = ["/bin/sh", "-c", "\(Programs.path("nexusctl")) --runtime DIR/run stop victim > DIR/answer 2>&1; echo $? >> DIR/answer; touch DIR/asked; exec sleep 1000"]
            requires = ["victim"]
            [child.victim]
            command = ["FIXTURE", "serve"]
            """)
        try box.start()
        try box.wait("the child to have asked") { _ in FileManager.default.fileExists(atPath: box.directory + "/asked")
        }
        let answer = try String(contentsOfFile: box.directory + "/answer", encoding: .utf8)
        #expect(answer.contains("refused"), "\(answer)")
        #expect(answer.hasSuffix("4\n"))
        #expect(try box.status().child("victim")?.state == "ready")
        #expect(box.stop() == 0)
    }

    @Test func unprivilegedUser_runsTheDefaultTree() throws {
        try #require(getuid() == 0)
        let box = try Box("[child.a]\ncommand = [\"/bin/sleep\", \"1000\"]\n")
        let home = box.directory + "/home"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        chown(box.directory, 65534, 65534)
        chown(home, 65534, 65534)
        chown(box.config, 65534, 65534)
        let script = """
            "$0/nexusd" --config "\(box.config)" --state "\(home)/state" --runtime "\(home)/run" & pid=$!
            "$0/nexusctl" --runtime "\(home)/run" wait --ready --timeout 20s && "$0/nexusctl" --runtime "\(home)/run" status
            kill $pid; wait $pid; echo "ended $?"
            """
        let answer = try run(
            "/usr/bin/setpriv",
            ["--reuid=65534", "--regid=65534", "--clear-groups", "/bin/sh", "-c", script, Programs.directory],
            environment: ["PATH": "/usr/bin:/bin", "HOME": home])
        #expect(answer.output.contains("uid wall"), "\(answer.output)\(answer.errors)")
        #expect(answer.output.hasSuffix("ended 0\n"), "\(answer.output)\(answer.errors)")
    }
}
