import Foundation
import Testing

/// A second network with somebody in it, and a cable to the box's: two ends of a veth(4), each in a namespace of its own. The
/// box's default route goes over it, so that pulling the cable takes away its way out and everybody's way in.
final class Elsewhere {
    /// Where the box listens for visitors: of TEST-NET-1 (RFC 5737).
    static let edge = "192.0.2.1:8081"
    private let tunnel: TunnelBox
    private let keeper: Running

    /// The words that run a command there.
    var enter: [String] { ["/usr/bin/nsenter", "-t", "\(keeper.pid)", "-n"] }

    /// Lays the cable to a box that was started without network.
    init(_ tunnel: TunnelBox) throws {
        self.tunnel = tunnel
        keeper = try Running("/usr/bin/unshare", ["-n", "/bin/sleep", "300"], environment: ["PATH": "/usr/bin:/bin"])
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
        // Until unshare(1) has left the test's network.
        while try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(keeper.pid)/ns/net") == own {
            guard keeper.waitForEnd(.milliseconds(5)) == nil else { throw Trouble("unshare: \(keeper.errors)") }
        }
        try ip("link", "add", "out", "type", "veth", "peer", "name", "in", "netns", "\(keeper.pid)")
        try ip("addr", "add", "192.0.2.1/24", "dev", "out")
        for words in [["addr", "add", "192.0.2.2/24", "dev", "in"], ["link", "set", "in", "up"]] {
            let answer = try run(enter[0], enter.dropFirst() + ["/usr/sbin/ip"] + words)
            guard answer.status == 0 else { throw Trouble("ip \(words): \(answer.errors)") }
        }
        try cable(true)
        try proveNothingLeaves()
    }

    deinit { kill(keeper.pid, SIGKILL) }

    /// In, or out: with it goes the default route, as the kernel has it.
    func cable(_ isIn: Bool) throws {
        try ip("link", "set", "out", isIn ? "up" : "down")
        if isIn { try ip("route", "add", "default", "via", "192.0.2.2") }
    }

    private func ip(_ words: String...) throws {
        let answer = try run("/usr/bin/nsenter", ["-t", "\(tunnel.box.pid)", "-n", "/usr/sbin/ip"] + words)
        guard answer.status == 0 else { throw Trouble("ip \(words.joined(separator: " ")): \(answer.errors)") }
    }

    /// Behind the cable's other end there is nothing but that end.
    private func proveNothingLeaves() throws {
        let links = try run(enter[0], enter.dropFirst() + ["/usr/sbin/ip", "-o", "link"]).output
        let names = links.split(separator: "\n").compactMap { $0.split(separator: " ").dropFirst().first }
        guard names.count == 2, names[0] == "lo:", names[1].hasPrefix("in@") else {
            throw Trouble("the visitor could reach others: \(links)")
        }
    }
}
