import Foundation
import Testing

/// A disk that stands still, breaks or is full holds up nobody but who waits for it.
@Suite(.serialized, .timeLimit(.minutes(5))) struct HostileDiskScenarios {
    @Test func frozenDisk_andAChildInUninterruptibleSleep_holdUpNobody() throws {
        let box = try Box(
            Bystanders.tables + """
                [child.stuck]
                command = ["FIXTURE", "stuck", "DIR/state/file"]
                stop-timeout = "100ms"
                kill-grace = "100ms"
                """)
        guard let disk = try Disk(at: box.state) else { return }
        let bystanders = try Bystanders(box)
        try bystanders.start()
        let stuck = try #require(try box.status().pid("stuck"))
        try disk.freeze()
        try box.wait("the child to wait for the disk") { _ in
            let stat = try String(contentsOfFile: "/proc/\(stuck)/stat", encoding: .utf8)
            return stat.contains(") D ")
        }
        try bystanders.endure("frozen disk")
        let stop = try box.begin("stop", "stuck")
        try box.wait("the child to be called unkillable") { $0.child("stuck")?.state == "unkillable" }
        try bystanders.endure("the same, a child that outlives SIGKILL")
        // What was chosen cannot be kept, for nexus-config waits for the same disk: said, and nobody waits for ever.
        let words = try stop.wait().errors
        #expect(words.contains("it outlived SIGKILL"), "\(words)")
        let start = try box.ctl("start", "stuck")
        #expect(start.status != 0 && start.errors.contains("it outlived SIGKILL"), "\(start)")
        let reload = try box.ctl("reload")
        #expect(reload.status != 0 && reload.errors.contains("waits for a disk that stands still"), "\(reload)")
        #expect(try box.status().pid("stuck") == stuck)
        #expect(try box.status().notes.contains { $0.contains("is not recorded") })
        try disk.thaw()
        try box.wait("what was chosen to be kept") { !$0.notes.contains { $0.contains("is not recorded") } }
        try box.wait("the process to be gone") { $0.pid("stuck") != stuck }
        #expect(!isAlive(stuck))
        #expect(box.stop() == 0)
        try bystanders.expectNoLineMissing(orCounted: true)
        _ = consume disk
    }

    @Test func diskThatBecomesReadOnly_holdsUpNobody_andIsSaid() throws {
        let box = try Box(Bystanders.tables + "[child.bad]\ncommand = [\"FIXTURE\", \"serve\"]\nenabled = false\n")
        guard let disk = try Disk(at: box.state) else { return }
        let bystanders = try Bystanders(box)
        try bystanders.start()
        try disk.fail()
        try bystanders.endure("disk that becomes read-only")
        let start = try box.ctl("start", "bad")
        #expect(start.errors.contains("it is so, but only while this nexusd lives"), "\(start)")
        #expect(start.errors.contains("Read-only file system"))
        try box.wait("the loss to be counted", limit: .seconds(30)) { _ in
            try box.ctl("status", "--json").output.contains(#/"dropped":[1-9]/#)
        }
        #expect(box.stop() == 0)
        // The machine may be started with such a disk: the tree is there, and what is not kept is said.
        try box.start()
        try box.waitReady()
        let status = try box.status()
        #expect(status.notes.contains { $0.contains("not kept as last-good") }, "\(status.notes)")
        #expect(box.errors.contains("nexusd.lock: Read-only file system"), "\(box.errors)")
        try bystanders.endure("a start with a read-only state directory", sameProcess: false)
        #expect(box.stop() == 0)
        _ = consume disk
    }

    @Test func fullTmpfs_holdsUpNobody_andLosesNothing() throws {
        let box = try Box(Bystanders.tables + "[child.bad]\ncommand = [\"FIXTURE\", \"serve\"]\nenabled = false\n")
        defer { for place in [box.state, box.runtime] { umount2(place, Int32(MNT_DETACH)) } }
        for place in [box.state, box.runtime] {
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            guard mount("nexus-test", place, "tmpfs", 0, "size=1m,mode=700") == 0 else {
                print("SKIPPED: a full tmpfs needs the right to mount one (errno \(errno))")
                return
            }
        }
        let bystanders = try Bystanders(box)
        try bystanders.start()
        let ballast = [box.state, box.runtime].map { $0 + "/ballast" }
        for path in ballast { try fill(path) }
        try bystanders.endure("full tmpfs under state and runtime directory")
        let start = try box.ctl("start", "bad")
        #expect(start.errors.contains("No space left on device"), "\(start)")
        #expect(try box.status().child("bad")?.state == "ready")
        for path in ballast { unlink(path) }
        try box.waitReady()
        #expect(box.stop() == 0)
        try bystanders.expectNoLineMissing()
    }

    /// Writes until there is no room for a byte more.
    private func fill(_ path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(file) }
        var size = 65_536
        let block = [UInt8](repeating: 0, count: size)
        while size > 0 {
            if write(file, block, size) < 0 { size /= 2 }
        }
        guard errno == ENOSPC else { throw Trouble("\(path): errno \(errno)") }
    }
}
