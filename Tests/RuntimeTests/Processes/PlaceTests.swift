import CNexus
import Plan
import SupervisorCore
import System
import TestSupport
import Testing

@testable import Runtime

/// The files of the runtime directory.
@Suite(.timeLimit(.minutes(1)))
struct PlaceTests {
    let kernel = LiveKernel()
    let directory = TemporaryDirectory()

    @Test func runtimeDirectory_isMadeWithItsModes_andFoundAgain() throws {
        let path = directory.path + "/deep/nexus"
        for _ in 0..<2 {
            let places = try RuntimeDirectory(kernel, path: path)
            let outer: UInt16 = kernel.userID() == 0 ? 0o755 : 0o700
            #expect(try kernel.status(path, followingLinks: false).mode == outer)
            #expect(try kernel.status(places.notify, followingLinks: false).mode == 0o711)
            #expect(try kernel.status(places.credentials, followingLinks: false).mode == 0o711)
            #expect(try kernel.status(places.pids, followingLinks: false).mode == outer)
        }
    }

    @Test func directoryThatOthersMayWrite_isRefused() throws {
        let path = directory.path + "/nexus"
        try kernel.makeDirectory(path, mode: 0o777)
        try kernel.changeMode(path, to: 0o777)
        let error = #expect(throws: PlaceError.self) { try RuntimeDirectory(kernel, path: path) }
        #expect(error?.description.contains("0777") == true && error?.path == path && error?.isRefused == true)
        #expect(try kernel.status(path, followingLinks: false).mode == 0o777)  // a refusal changes nothing
    }

    @Test func linkOrFileInItsPlace_isRefused() throws {
        let path = directory.path + "/nexus"
        #expect(symlink("/tmp", path) == 0)
        #expect(throws: PlaceError.self) { try RuntimeDirectory(kernel, path: path) }
        let file = directory.path + "/file"
        try kernel.replaceFile(file, with: [], mode: 0o600)
        #expect(throws: PlaceError.self) { try RuntimeDirectory(kernel, path: file) }
    }

    @Test func pathTooLongForSockets_isRefusedWithWords() {
        let path = directory.path + "/" + String(repeating: "x", count: 60)
        let error = #expect(throws: PlaceError.self) { try RuntimeDirectory(kernel, path: path) }
        #expect(error?.problem.contains("too long") == true)
    }

    @Test func lock_isHeldByOneAndSaysByWhom() throws {
        let path = directory.path + "/nexusd.lock"
        var first: InstanceLock? = try InstanceLock(kernel, path: path)
        #expect(throws: InstanceLock.Refusal.held(by: kernel.processID())) { try InstanceLock(kernel, path: path) }
        #expect(first != nil)
        #expect(try kernel.readFile(path, limit: 32) == Array("\(kernel.processID())\n".utf8))
        first = nil
        _ = try InstanceLock(kernel, path: path)
    }

    /// Who may read it may lock it, and no nexusd would start any more; one of an earlier version is closed too.
    @Test func lockFile_isItsOwnersAlone() throws {
        let path = directory.path + "/nexusd.lock"
        for mode: UInt16? in [nil, 0o644] {
            if let mode { try kernel.changeMode(path, to: mode) }
            let lock = try InstanceLock(kernel, path: path)
            #expect(try kernel.status(path, followingLinks: false).mode == 0o600)
            withExtendedLifetime(lock) {}
        }
    }

    /// Killed with so much memory that its end takes a while; the lock goes with it.
    @Test func lockOfOneThatIsKilled_isWaitedFor() throws {
        let path = directory.path + "/nexusd.lock"
        let script = """
            import fcntl, os, sys, time
            f = open(sys.argv[1], "w")
            fcntl.flock(f, fcntl.LOCK_EX)
            f.write(str(os.getpid()) + "\\n")
            f.flush()
            memory = bytearray(b"x") * (200 << 20)
            open(sys.argv[1] + ".up", "w").close()
            time.sleep(600)
            """
        let image = SpawnImage(
            executable: "/usr/bin/python3", arguments: ["python3", "-c", script, path], environment: [])
        let spawned = try kernel.spawn(image)
        try waitFor("its lock") { (try? kernel.status(path + ".up", followingLinks: false)) != nil }
        #expect(throws: InstanceLock.Refusal.held(by: spawned.process)) { try InstanceLock(kernel, path: path) }
        try kernel.signal(spawned.pidfd, .kill)
        _ = try InstanceLock(kernel, path: path)
        #expect(try waitForExit(spawned) == .signal(.kill, coreDumped: false, oom: false))
    }

    @Test func lockWhoseFileIsTakenAway_isNoLock() throws {
        let path = directory.path + "/nexusd.lock"
        let first = try InstanceLock(kernel, path: path)
        try kernel.removeFile(path)
        let second = try InstanceLock(kernel, path: path)
        #expect(throws: InstanceLock.Refusal.held(by: kernel.processID())) { try InstanceLock(kernel, path: path) }
        withExtendedLifetime((first, second)) {}
    }

    @Test func lockWithGarbage_isStillALock() throws {
        let path = directory.path + "/nexusd.lock"
        let holder = try kernel.open(path, [.readWrite, .create], mode: 0o600)
        #expect(try kernel.lock(holder))
        for garbage in ["", "x", "12x\n", String(repeating: "9", count: 40)] {
            try kernel.truncate(holder, to: 0)
            _ = try kernel.seek(holder, to: 0, fromEnd: false)
            try kernel.writeAll(holder, Array(garbage.utf8))
            #expect(throws: InstanceLock.Refusal.held(by: nil)) { try InstanceLock(kernel, path: path) }
        }
    }

    @Test func lockThroughALink_isRefused() throws {
        let path = directory.path + "/nexusd.lock"
        #expect(symlink(directory.path + "/elsewhere", path) == 0)
        #expect(throws: InstanceLock.Refusal.failed(.symbolicLink)) { try InstanceLock(kernel, path: path) }
    }

    @Test func pidFile_isRemovedOnlyWhileItIsOurs() throws {
        let path = directory.path + "/child.pid"
        let file = try PIDFile(kernel, path: path, process: ProcessID(rawValue: 4711))
        #expect(try kernel.readFile(path, limit: 32) == Array("4711\n".utf8))
        try kernel.replaceFile(path, with: Array("4712\n".utf8), mode: 0o644)
        file.remove(kernel)
        #expect(try kernel.readFile(path, limit: 32) == Array("4712\n".utf8))
        try kernel.replaceFile(path, with: Array("4711\n".utf8), mode: 0o644)
        file.remove(kernel)
        #expect(throws: Errno.noEntry) { try kernel.status(path, followingLinks: false) }
        file.remove(kernel)  // once more is no error
    }

    @Test func stateDirectory_isLockedWhateverTheRuntimeDirectory() throws {
        let path = directory.path + "/deep/state"
        let first = try StateDirectory(kernel, path: path)
        #expect(first.trouble == nil)
        #expect(throws: InstanceLock.Refusal.held(by: kernel.processID())) {
            try StateDirectory(kernel, path: path)
        }
    }

    @Test func secondOfTheStart_neverComesTwice() throws {
        let path = directory.path + "/state"
        let first = try StateDirectory(kernel, path: path).second
        let again = try StateDirectory(kernel, path: path).second
        #expect(again > first)
        // The clock was set back by a century meanwhile.
        try kernel.replaceFile(path + "/last-second", with: Array("4000000000\n".utf8), mode: 0o600)
        #expect(try StateDirectory(kernel, path: path).second == 4_000_000_001)
        for (last, second) in [(nil, 7), (6, 7), (7, 8), (9, 10), (UInt64(UInt32.max), 7), (1 << 60, 7)]
            as [(UInt64?, UInt32)]
        {
            #expect(StateDirectory.second(clock: 7_900_000_000, last: last) == second)
        }
    }

    @Test(
        arguments: [
            ([], "is empty"), (Array("\u{1}x9".utf8), "is damaged"), (Array("17".utf8), "is damaged"),
            (Array("4294967295\n".utf8), "is damaged"), ([UInt8](repeating: 0x31, count: 33), "is damaged"),
            (nil, "is no regular file"),
        ] as [([UInt8]?, String)]) func damagedSecondOfTheLastStart_isReplacedAndSaid(content: [UInt8]?, words: String)
        throws
    {
        let path = directory.path + "/state"
        let file = path + "/last-second"
        try kernel.makeDirectory(path, mode: 0o700)
        if let content {
            try kernel.replaceFile(file, with: content, mode: 0o600)
        } else {
            #expect(mkfifo(file, 0o600) == 0)
        }
        let place = try StateDirectory(kernel, path: path)
        let said = try #require(place.trouble)
        #expect(said.hasPrefix("\(file) \(words), so it was replaced: it keeps run ids"))
        #expect(try kernel.readFile(file, limit: 32) == Array("\(place.second)\n".utf8))
    }

    @Test func directoryInThePlaceOfTheLastSecond_isSaidWithWhatToDo() throws {
        let path = directory.path + "/state"
        try kernel.makeDirectory(path, mode: 0o700)
        try kernel.makeDirectory(path + "/last-second", mode: 0o700)
        #expect(
            try StateDirectory(kernel, path: path).trouble
                == "\(path)/last-second: Is a directory (EISDIR); a directory is in its place: move it away. Until then run ids may"
                + " come twice if the clock is set back.")
    }

    /// Neither waits for somebody at the other end.
    @Test func lockThatIsNoFile_isRefusedByTheOneAndSaidByTheOther() throws {
        let path = directory.path + "/state"
        try kernel.makeDirectory(path, mode: 0o700)
        #expect(mkfifo(path + "/nexusd.lock", 0o600) == 0)
        #expect(throws: InstanceLock.Refusal.failed(.invalid)) {
            try InstanceLock(kernel, path: path + "/nexusd.lock")
        }
        #expect(try StateDirectory(kernel, path: path).trouble?.hasPrefix("\(path)/nexusd.lock: ") == true)
    }

    @Test(
        arguments: [(0o777, "by everybody (mode 0777)"), (0o1777, "by everybody (mode 01777)")] as [(UInt16, String)])
    func stateDirectoryThatOthersMayWrite_isRefused(mode: UInt16, words: String) throws {
        let path = directory.path + "/state"
        try kernel.makeDirectory(path, mode: 0o700)
        try kernel.changeMode(path, to: mode)
        let error = #expect(throws: PlaceError.self) { try StateDirectory(kernel, path: path) }
        #expect(error?.description.contains(words) == true && error?.description.contains("--state") == true)
        try kernel.changeMode(path, to: 0o700)
        _ = try StateDirectory(kernel, path: path)
    }

    @Test func pidFileInPlaceOfALink_leavesItsTargetAlone() throws {
        let path = directory.path + "/child.pid"
        let target = directory.path + "/precious"
        try kernel.replaceFile(target, with: Array("precious".utf8), mode: 0o600)
        #expect(symlink(target, path) == 0)
        let file = try PIDFile(kernel, path: path, process: ProcessID(rawValue: 1))
        #expect(try kernel.readFile(target, limit: 32) == Array("precious".utf8))
        #expect(unlink(path) == 0 && symlink(target, path) == 0)
        file.remove(kernel)
        #expect(try kernel.status(path, followingLinks: false).kind == .symbolicLink)
    }
}
