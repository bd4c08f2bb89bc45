import Foundation
import Testing

@testable import NexusConfiguration

/// Real files that are refused before anybody looks for TOML in them.
@Suite(.timeLimit(.minutes(1))) final class FileChecksTests {
    let directory = "/tmp/nexus-files-\(getpid())-\(UInt32.random(in: 0 ... .max))"

    init() throws { try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: directory) }

    @Test func tenMegabytes_areRefusedWithoutBeingRead() throws {
        // Sparse: reading it would be noticed as NULs.
        let path = try file("")
        #expect(truncate(path, 10_000_000) == 0)
        #expect(
            diagnostics(path)
                == "\(path): error: the file has 10000000 bytes; at most 1048576 are read (1 MiB): make it shorter")
    }

    @Test func nul_isNamedWithItsPlace() throws {
        let path = try file("[child.web]\nä = 1\0\n")
        #expect(diagnostics(path) == "\(path):2:6: error: NUL byte; the file must be plain UTF-8 text: save it as such")
    }

    @Test(arguments: [
        ([0x41, 0x0A, 0xC3, 0xA4, 0xFF], "2:2", "ff"), ([0xC0, 0x80], "1:1", "c0"), ([0xED, 0xA0, 0x80], "1:1", "ed"),
        ([0x20, 0xE2, 0x82], "1:2", "e2"), ([0xF4, 0x90, 0x80, 0x80], "1:1", "f4"), ([0x80], "1:1", "80"),
    ])
    func notUTF8_isNamedWithItsPlace(bytes: [UInt8], place: String, byte: String) throws {
        let path = try file(bytes: bytes)
        #expect(
            diagnostics(path)
                == "\(path):\(place): error: byte 0x\(byte) is not UTF-8; the file must be plain UTF-8 text: save it as such"
        )
    }

    @Test func lockOfAnother_isToldWithItsUser() throws {
        let path = try file("")
        #expect(LiveMachine().lock(of: path) == .free && LiveMachine().lock(of: path + ".none") == .free)
        let held = open(path, O_RDONLY | O_CLOEXEC)
        try #require(held >= 0 && flock(held, LOCK_EX) == 0)
        #expect(LiveMachine().lock(of: path) == .held(by: geteuid()))
        close(held)
        #expect(LiveMachine().lock(of: path) == .free)
    }

    /// The least that is accepted.
    private let tree = "[child.a]\ncommand = [\"/bin/true\"]\n"

    @Test func writableByTheWorld_isRefused() throws {
        let path = try file("", mode: 0o666)
        #expect(diagnostics(path) == "\(path): error: everybody may write this file: chmod o-w it")
    }

    @Test func writableByAForeignGroup_isRefused() throws {
        var host = FakeMachine().adding("/x", tree)
        host.files["/x"]?.mode = 0o664
        #expect(diagnostics("/x", host) == "")
        host.files["/x"]?.group = 4
        #expect(
            diagnostics("/x", host)
                == "/x: error: group 4, which is not yours, may write this file: chmod g-w it, or chgrp it")
    }

    @Test func foreignOwner_isRefused() throws {
        var host = FakeMachine().adding("/x", tree)
        host.files["/x"]?.owner = 33
        #expect(
            diagnostics("/x", host)
                == "/x: error: the file belongs to uid 33; it must belong to root or to uid 1000: chown it")
        host.userID = 0
        #expect(
            diagnostics("/x", host) == "/x: error: the file belongs to uid 33; it must belong to root: chown it")
        host.files["/x"]?.owner = 0
        #expect(diagnostics("/x", host) == "")
    }

    @Test(arguments: [
        (
            0o777, 0, 0,
            "everybody may write its directory '/etc/nexus' and could replace the file: chmod o-w it, or keep the file elsewhere"
        ),
        (
            0o775, 0, 4,
            "group 4, which is not yours, may write its directory '/etc/nexus' and could replace the file: chmod g-w it, or chgrp it"
        ),
        (
            0o755, 33, 0,
            "its directory '/etc/nexus' belongs to uid 33, who could replace the file: chown it to root or to uid 1000, or keep the file elsewhere"
        ),
        (
            0o1777, 33, 0,
            "its directory '/etc/nexus' belongs to uid 33, who could replace the file: chown it to root or to uid 1000, or keep the file elsewhere"
        ),
        (0o1777, 0, 0, ""), (0o775, 0, 1000, ""), (0o755, 1000, 1000, ""),
    ])
    func directoryThatOthersMayWrite_isRefused(mode: UInt32, owner: UInt32, group: UInt32, words: String) {
        let path = "/etc/nexus/file.toml"
        var host = FakeMachine().adding(path, tree)
        host.files["/etc/nexus"] = FileStatus(kind: .directory, mode: mode, owner: owner, group: group)
        #expect(diagnostics(path, host) == (words.isEmpty ? "" : "\(path): error: \(words)"))
    }

    @Test func noFile_directoryAndPipe_areNamed() throws {
        #expect(
            diagnostics(directory + "/absent")
                == "\(directory)/absent: error: there is no such file: make it, or correct the path")
        #expect(
            diagnostics(directory) == "\(directory): error: it is a directory, not a regular file: name a file of text")
        let pipe = directory + "/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(
            diagnostics(pipe)
                == "\(pipe): error: it is a device, pipe or socket, not a regular file: name a file of text")
    }

    private func file(_ text: String, mode: Int = 0o644) throws -> String {
        try file(bytes: Array(text.utf8), mode: mode)
    }

    private func file(bytes: [UInt8], mode: Int = 0o644) throws -> String {
        let path = directory + "/Supervisor.toml"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    private func diagnostics(_ path: String, _ host: any Machine = LiveMachine()) -> String {
        do {
            _ = try SupervisorFile.load(
                Places(config: path, state: "/var/lib/nexus", runtime: "/run/nexus", bin: "/lib/nexus"), host: host)
            return ""
        } catch {
            return error.description
        }
    }
}
