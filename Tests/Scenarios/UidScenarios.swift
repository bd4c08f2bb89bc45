import Foundation
import Testing

/// Real users against a tree of root's: what a stranger of this machine and a child of another uid can read, write, connect to,
/// signal and look into (docs/security.md, Other users). Root could do all of it.
@Suite(.timeLimit(.minutes(2)), .enabled(if: getuid() == 0, "needs root to become somebody else"))
struct UidScenarios {
    private static let tree = """
        [secret.s]
        file = "DIR/secret"
        [child.a]
        command = ["/bin/sleep", "1000"]
        user = "65534"
        group = "65534"
        state-directory = "a"
        secrets = ["s"]
        sockets = [{ name = "x", listen = "{runtime}/a.sock" }]
        [child.b]
        command = ["/bin/sleep", "1000"]
        user = "54321"
        group = "54321"
        state-directory = "b"
        secrets = ["s"]
        environment = { TOKEN = { secret = "s" } }
        [child.r]
        command = ["/bin/sleep", "1000"]
        state-directory = "r"
        secrets = ["s"]
        environment = { TOKEN = { secret = "s" } }
        """

    private func box() throws -> Box {
        let box = try Box(Self.tree)
        try "only-for-children".write(toFile: box.directory + "/secret", atomically: true, encoding: .utf8)
        chmod(box.directory + "/secret", 0o600)
        chmod(box.directory, 0o755)
        try box.start()
        try box.waitReady()
        return box
    }

    /// What a script of the shell prints as this user.
    private func say(as uid: Int, _ script: String, _ arguments: [String]) throws -> [String] {
        let answer = try run(
            "/usr/bin/setpriv",
            ["--reuid=\(uid)", "--regid=\(uid)", "--clear-groups", "/bin/sh", "-c", script, "sh"] + arguments,
            environment: ["PATH": "/usr/bin:/bin", "HOME": "/"])
        return answer.output.split(separator: "\n").map(String.init)
    }

    /// Where files of the box may be read or written by this user, names below the box that root found.
    private func reach(_ box: Box, as uid: Int, _ right: String) throws -> [String] {
        let all = ["run", "state"].flatMap { top in
            [top] + (FileManager.default.subpaths(atPath: "\(box.directory)/\(top)") ?? []).map { "\(top)/\($0)" }
        }
        let script = "cd \"$1\" && shift && find \"$@\" -maxdepth 0 -\(right) 2>/dev/null"
        return try say(as: uid, script, [box.directory] + all).sorted()
    }

    private static let open =
        ["run", "run/pid", "run/stage"] + ["a", "b", "log-writer", "nexusd", "r"].map { "run/pid/\($0).pid" }

    @Test(arguments: [
        (40_000, [], []),
        (
            65_534, ["run/a.sock", "run/credentials/a", "run/credentials/a/s", "state/a", "state/tmp/a"],
            ["run/a.sock", "state/a", "state/tmp/a"]
        ),
        (54_321, ["run/credentials/b", "run/credentials/b/s", "state/b", "state/tmp/b"], ["state/b", "state/tmp/b"]),
    ])
    func user_reachesItsOwnFilesAlone(uid: Int, readable: [String], writable: [String]) throws {
        let box = try box()
        #expect(try reach(box, as: uid, "readable") == (Self.open + readable).sorted())
        #expect(try reach(box, as: uid, "writable") == writable)
        #expect(box.stop() == 0)
    }

    @Test(arguments: [40_000, 65_534]) func user_signalsAndLooksIntoNobodyElse(uid: Int) throws {
        let box = try box()
        let status = try box.status()
        let pids = ["\(box.pid)"] + ["log-writer", "b", "r"].compactMap { status.pid($0).map { "\($0)" } }
        #expect(pids.count == 4)
        let script = """
            for p; do
                kill -0 $p 2>/dev/null && echo "signal $p"
                for f in environ maps mem io auxv; do head -c1 /proc/$p/$f >/dev/null 2>&1 && echo "$f $p"; done
                ls /proc/$p/fd >/dev/null 2>&1 && echo "fd $p"
                readlink /proc/$p/exe /proc/$p/cwd /proc/$p/root
            done
            """
        #expect(try say(as: uid, script, pids) == [])
        #expect(box.stop() == 0)
    }

    /// Whoever may open the lock's file may hold it, and nexusd would say that another one runs, for ever.
    @Test func stranger_cannotKeepTheNextNexusdFromStarting() throws {
        let box = try box()
        #expect(box.stop() == 0)
        let locks = ["run", "state"].map { "\(box.directory)/\($0)/nexusd.lock" }
        let script = "for f; do flock -n \"$f\" true 2>/dev/null && echo \"$f\"; done"
        #expect(locks.allSatisfy { FileManager.default.fileExists(atPath: $0) })
        #expect(try say(as: 40_000, script, locks) == [])
    }

    /// Root's nexusd reads it for its children: a link in its place would hand out any file of the machine.
    @Test func secretInADirectoryOfAChild_isRefused() throws {
        let box = try box()
        let directory = box.directory + "/theirs"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        #expect(symlink("/etc/shadow", directory + "/token") == 0)
        chown(directory, 65_534, 65_534)
        try box.write(Self.tree.replacingOccurrences(of: "DIR/secret", with: "DIR/theirs/token"))
        let answer = try box.ctl("reload")
        #expect(answer.status == 2 && answer.errors.contains("'\(directory)' belongs to uid 65534"), "\(answer)")
        #expect(box.stop() == 0)
    }
}
