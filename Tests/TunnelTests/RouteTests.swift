import Foundation
import Glibc
import Testing

@testable import Tunnel

/// `ip` of iproute2, root, and unshare(2), which Glibc's module does not have.
private let canMakeNetworks =
    getuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/sbin/ip") && leaveNetwork != nil

private let leaveNetwork = dlsym(nil, "unshare").map { unsafeBitCast($0, to: (@convention(c) (Int32) -> Int32).self) }
/// CLONE_NEWNET of linux/sched.h.
private let newNetwork: Int32 = 0x4000_0000

/// What the kernel says of the way out, each in a network of its own, which goes with its thread.
@Suite(.timeLimit(.minutes(1)), .enabled(if: canMakeNetworks)) struct RouteTests {
    struct Trouble: Error { var words: String }

    /// A cable with a static address of documentation (RFC 5737) at this end.
    static let cable = [
        "link set lo up", "link add in type veth peer name out", "link set in up", "link set out up",
        "address add 192.0.2.1/24 dev out",
    ]
    static let halves = ["route add 0.0.0.0/1 via 192.0.2.2", "route add 128.0.0.0/1 via 192.0.2.2"]

    private static func ip(_ words: String) throws {
        // Foundation's Process waits by a run loop of another thread's.
        var pid: pid_t = 0
        let arguments = ("ip " + words).split(separator: " ").map { strdup(String($0)) } + [nil]
        defer { arguments.forEach { free($0) } }
        guard posix_spawn(&pid, "/usr/sbin/ip", nil, nil, arguments, [nil]) == 0 else {
            throw Trouble(words: "ip is not started: \(errno)")
        }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else { throw Trouble(words: "ip \(words): \(status)") }
    }

    /// Whether there is a way out after these commands.
    private func leadOut(_ commands: [String]) async throws -> Bool {
        try await withCheckedThrowingContinuation { continuation in
            // A network is a thread's: no other test of this process is in it.
            Thread {
                continuation.resume(
                    with: Result {
                        guard leaveNetwork?(newNetwork) == 0 else {
                            throw Trouble(words: "no network of its own: \(errno)")
                        }
                        for command in commands { try Self.ip(command) }
                        return NetworkRoutes.leadOut()
                    })
            }.start()
        }
    }

    @Test(
        arguments: [
            ([], false), (["link set lo up"], false),
            // Only to neighbours.
            (cable, false),
            (cable + ["route add default via 192.0.2.2"], true),
            (["link set lo up", "route add default dev lo"], true),
            // As VPNs and owners of several lines set it.
            (cable + halves, true),
            (cable + ["route add default via 192.0.2.2 table 100", "rule add from all lookup 100"], true),
            // It refuses, or the cable is out and the address is static.
            (cable + ["route add unreachable default"], false),
            (cable + ["route add blackhole default"], false),
            (cable + ["route add default via 192.0.2.2", "link set in down"], false),
            (cable + ["route add default via 192.0.2.2", "link set in down", "link set in up"], true),
        ] as [([String], Bool)])
    func wayOut_isWhatTheKernelWouldTake(_ commands: [String], _ leads: Bool) async throws {
        #expect(try await leadOut(commands) == leads)
    }

    /// By the kernel's word, not by a look: a link, a route and a policy rule, as each comes.
    @Test func changes_areToldAsTheyCome() async throws {
        for (before, change) in [
            ([], "link set lo up"), (["link set lo up"], "route add default dev lo"),
            (["link set lo up", "route add default dev lo"], "route del default"),
            (["link set lo up"], "rule add from all lookup 100"), ([], "-6 rule add from all lookup 100"),
        ] {
            let ways = AsyncStream<Bool>.makeStream()
            let thread = Thread {
                do {
                    guard leaveNetwork?(newNetwork) == 0 else {
                        throw Trouble(words: "no network of its own: \(errno)")
                    }
                    for command in before { try Self.ip(command) }
                    // Its socket is of this thread's network, whoever reads it.
                    let changes = NetworkRoutes.changes()
                    try Self.ip(change)
                    Task {
                        var all = changes.makeAsyncIterator()
                        ways.continuation.yield(await all.next() != nil)
                    }
                } catch { ways.continuation.yield(false) }
            }
            thread.start()
            let alarm = Task {
                try await Task.sleep(for: .seconds(5))
                ways.continuation.yield(false)
            }
            defer { alarm.cancel() }
            var told = ways.stream.makeAsyncIterator()
            #expect(await told.next() == true, "\(change)")
        }
    }

    @Test func ipv6_isAWayOutToo() async throws {
        let six = ["-6 address add 2001:db8::1/64 dev out nodad", "-6 route add default via 2001:db8::2 dev out"]
        #expect(try await leadOut(Self.cable + six))
        #expect(try await !leadOut(Self.cable + six + ["link set in down"]))
    }
}
