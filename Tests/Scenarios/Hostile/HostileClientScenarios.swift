import CNexus
import Foundation
import Testing

/// Who asks, or should listen, and does not, holds up nobody.
@Suite(.serialized, .timeLimit(.minutes(5))) struct HostileClientScenarios {
    @Test(.enabled(if: getuid() == 0, "needs root to be somebody else"))
    func thousandIdleClients_holdUpNobody() throws {
        let box = try Box("[supervisor]\nread-users = [\"nobody\"]\n" + Bystanders.tables)
        let bystanders = try Bystanders(box)
        try bystanders.start()
        let crowd = try Running(
            "/usr/bin/prlimit",
            ["--nofile=2048:2048", Programs.fixture, "crowd", box.runtime + "/control.sock", "1000", "65534"])
        try box.wait("a thousand connections") { _ in crowd.output.contains("full") }
        try bystanders.endure("1000 idle clients, 1/3 with half a frame, that come again")
        #expect(crowd.waitForEnd(.zero) == nil, "\(crowd.errors)")
        #expect(try box.ctl("restart", "teller").status == 0)
        #expect(try box.ctl("metrics").output.contains(#/nexus_control_refused_clients_total [1-9]/#))
        kill(crowd.pid, SIGKILL)
        #expect(box.stop() == 0)
        try bystanders.expectNoLineMissing()
    }

    @Test(.enabled(if: getuid() == 0, "needs root for a /run of its own"))
    func journaldThatHangs_isKilled_comesBack_holdsUpNobody() throws {
        let box = try Box(Bystanders.tables)
        let directory = box.directory + "/journal"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        box.launcher = [
            "/usr/bin/unshare", "--mount", "/bin/sh", "-c",
            "mount -t tmpfs none /run && mkdir -p /run/systemd && ln -s '\(directory)' /run/systemd/journal && exec \"$@\"",
            "sh",
        ]
        let bystanders = try Bystanders(box)
        try bystanders.start()
        var journal = try Journal(directory)
        try box.wait("the hanging journal to be said") { $0.notes.contains { $0.contains("journald takes nothing") } }
        try bystanders.endure("journald that takes nothing")
        journal = try Journal(directory)
        try bystanders.endure("journald that was killed and comes back, taking nothing")
        try box.wait("the journal to be served again") { _ in journal.readAll().contains("NEXUS_CHILD=teller") }
        #expect(box.stop() == 0)
        try bystanders.expectNoLineMissing()
    }
}

/// A stand-in for journald, whose socket nobody reads until a scenario does.
private final class Journal {
    private let socket: Int32

    init(_ directory: String) throws {
        let path = directory + "/socket"
        unlink(path)
        socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0 else { throw Trouble("\(path): errno \(errno)") }
    }

    deinit { close(socket) }

    /// All that has come.
    func readAll() -> String {
        var all = ""
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { return all }
            all += String(decoding: buffer.prefix(count), as: UTF8.self)
        }
    }
}
