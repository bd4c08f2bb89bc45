import CNexus
import Plan
import SupervisorCore
import System
import TestSupport
import Testing

@testable import Runtime

@Suite(.timeLimit(.minutes(1)))
struct ProbeTests {
    let kernel = LiveKernel()

    private func connect(_ host: String, _ port: String) throws -> Bool {
        let probe = ProbeRun.connect(kernel, host: host, port: port, timeout: .seconds(5), at: kernel.monotonic())
        let poller = try Poller(kernel)
        try probe.watch(with: poller, token: 1)
        if probe.state == .connecting {
            try poller.wait(atMost: .seconds(10))
            #expect(poller.batch.count == 1)
            probe.connected()
        }
        probe.unwatch(with: poller)
        return probe.state == .finished(.healthy)
    }

    @Test func listener_isHealthy_andNobodyIsNot() throws {
        let listener = try kernel.makeSocket(.inet, .stream)
        try kernel.bind(listener, to: .inet([127, 0, 0, 1], port: 0))
        let port = "\(try kernel.boundPort(listener))"
        #expect(try connect("127.0.0.1", port) == false)
        try kernel.listen(listener, backlog: 8)
        #expect(try connect("127.0.0.1", port))
        #expect(try connect("localhost", port))
    }

    @Test(arguments: [
        ("127.0.0.1", ""), ("127.0.0.1", "0"), ("127.0.0.1", "65536"), ("127.0.0.1", "x"), ("8.8.8.8", "53"),
    ])
    func whatIsNoLoopbackPort_isAMissAtOnce(host: String, port: String) throws {
        let probe = ProbeRun.connect(kernel, host: host, port: port, timeout: .seconds(5), at: kernel.monotonic())
        #expect(probe.state == .finished(.unhealthy("\(host):\(port) is no loopback port")))
    }

    @Test func expiredConnect_isAMissAndStaysOne() throws {
        let listener = try kernel.makeSocket(.inet, .stream)
        try kernel.bind(listener, to: .inet([127, 0, 0, 1], port: 0))
        try kernel.listen(listener, backlog: 8)
        let now = kernel.monotonic()
        let port = "\(try kernel.boundPort(listener))"
        let probe = ProbeRun.connect(kernel, host: "127.0.0.1", port: port, timeout: .seconds(1), at: now)
        #expect(probe.deadline == now + .seconds(1))
        guard probe.state == .connecting else { return }  // the kernel may connect loopback at once
        probe.expire()
        probe.connected()
        #expect(probe.state == .finished(.unhealthy("no answer within 1 s")))
    }

    @Test func execProbe_runsWithTheChildsEnvironmentInItsScope() async {
        await #expect(processExitsWith: .success) {
            let nest = try Nest()
            let life = try nest.start("echo up; exec sleep 600")
            _ = try life.lines(1)
            func probe(_ script: String) throws -> ProbeRun {
                let child = ChildPlan(name: "child", executable: "/bin/sleep", arguments: [])
                let pipe = try nest.kernel.makePipe(blocking: .write)
                let spawned = try nest.spawner.spawnProbe(
                    "/bin/sh", [Text("sh"), Text("-c"), Text(script)],
                    of: SpawnRequest(child: child, run: life.run, descriptors: []), in: life.scope,
                    output: pipe.write, values: TextValues(captured: { _, _ in nil }, secret: { _ in nil }))
                return ProbeRun.watch(
                    nest.kernel, spawned, output: pipe.read, timeout: .seconds(5), at: nest.kernel.monotonic())
            }
            func finish(_ probe: ProbeRun) throws -> ProbeRun.State {
                guard case .running(let process) = probe.state else { return probe.state }
                try #require(try nest.reap { nest.exits[process] != nil })
                life.scope.ended(EndedProcess(process: process, exit: .unknown))
                if let exit = nest.exits[process] { probe.ended(exit) }
                return probe.state
            }
            try #require(try finish(probe("[ $NEXUS_RUN_ID = \(life.run) ]")) == .finished(.healthy))
            try #require(try finish(probe("exit 3")) == .finished(.unhealthy("the probe ended with exit 3")))
            let slow = try probe("exec sleep 600")
            guard case .running(let process) = slow.state else { exit(1) }
            slow.expire()
            try #require(slow.state == .finished(.unhealthy("no answer within 5 s")))
            try #require(try nest.reap { nest.exits[process] == .signal(.kill, coreDumped: false, oom: false) })
            life.scope.ended(EndedProcess(process: process, exit: .unknown))
            try #require(isAlive(life.process) && life.scope.isEmpty() == false)
            life.scope.killAll()
            _ = try nest.reap(life)
            try #require(life.scope.isEmpty())
        }
    }
}
