import SupervisorCore
import Testing
import Wire

@testable import Plan

/// Values as Supervisor.toml would spell them: what `diff` and `explain` show.
@Suite struct SettingWordsTests {
    private func value(_ name: String, _ change: (inout ChildPlan) -> Void) -> String? {
        var child = ChildPlan(name: "web", executable: "/bin/true", arguments: [Text("true")])
        change(&child)
        return Setting.all.first { $0.name == name }?.value(of: child, in: Plan(children: [child]))
    }

    @Test func limits_haveTheirNamesAndUnits() {
        let limits = value("limits") {
            $0.limits = [
                Limit(resource: ResourceName.nofile.rawValue, soft: 512, hard: 1024),
                Limit(resource: ResourceName.as.rawValue, soft: 2 << 30, hard: 2 << 30),
                Limit(resource: ResourceName.cpu.rawValue, soft: 3600, hard: .max),
                Limit(resource: ResourceName.rttime.rawValue, soft: 200_000, hard: 200_000),
                Limit(resource: ResourceName.core.rawValue, soft: 0, hard: 0),
            ]
        }
        #expect(limits == "[nofile = 512:1024, as = 2GiB, cpu = 1h:unlimited, rttime = 200ms, core = 0]")
        #expect(value("limits") { _ in } == "none")
    }

    @Test func namesInLists_areWrittenAsInTheFile() {
        #expect(value("requires") { $0.policy.requires = [ChildID(rawValue: 1)] } == #"["web"]"#)
        #expect(value("after") { _ in } == "[]")
        let restart = WorkerPlan.Grant.restart(.child(ChildID(rawValue: 1)))
        #expect(value("may") { $0.worker = WorkerPlan(may: [restart]) } == #"["restart:web"]"#)
    }

    @Test func signals_haveTheirNames() {
        #expect(value("stop-signal") { $0.policy.stop.signal = .terminate } == "SIGTERM")
        #expect(value("stop-signal") { $0.policy.stop.signal = Signal(rawValue: 37) } == "SIGRTMIN+3")
        func exits(_ key: String) -> String? {
            value(key) {
                $0.policy.exits = ExitRule(success: [0, .signal(.terminate)], config: [78, 9, 64], network: [])
            }
        }
        #expect(exits("exits.success") == "[0, SIGTERM]" && exits("exits.config") == "[9, 64, 78]")
        #expect(exits("exits.network") == "[]")
    }

    @Test func capabilitiesAndAddresses_areThoseOfTheFile() {
        let sets = value("capabilities") { $0.capabilities = Capabilities(bounding: 1 << 10 | 1, ambient: 1 << 10) }
        #expect(sets == "bounding [CHOWN, NET_BIND_SERVICE], ambient [NET_BIND_SERVICE]")
        let socket = value("sockets") {
            let host = [UInt8](repeating: 0, count: 15) + [1]
            $0.sockets = [SocketPlan(name: "web", address: .inet6(host, port: 80))]
        }
        #expect(socket?.contains("[0:0:0:0:0:0:0:1]:80") ?? false, "\(socket ?? "")")
    }

    @Test func numbers_areWrittenAsTheFileWritesThem() {
        #expect(value("umask") { $0.umask = 0o77 } == "0077" && value("umask") { $0.umask = 0o22 } == "0022")
        let log = value("log") { $0.log = LogPlan(rate: LogRate(lines: 1000, window: .seconds(30))) }
        #expect(log?.hasSuffix("rate 1000/30s") ?? false, "\(log ?? "")")
        func bound(_ key: String) -> String? {
            value(key) { $0.policy.intensity = Intensity(restarts: 8, window: .seconds(60)) }
        }
        #expect(bound("intensity.restarts") == "8" && bound("intensity.window") == "1min")
        #expect(value("intensity.window") { _ in } == "none")
        #expect(value("delay.slow-retry") { $0.policy.delay.slowRetry = nil } == "never")
    }

    @Test func memory_isSpelledShortly() {
        #expect(value("memory.max") { $0.bounds.memoryMax = 64 << 20 } == "64MiB")
        #expect(
            value("memory.recycle") { $0.bounds.recycle = RecycleRule(above: 3 << 29) } == "above 1536MiB, within 1h")
    }
}
