import ControlClient
import Testing
import Wire

@Suite(.timeLimit(.minutes(1)))
struct MetricsTests {
    private static let answer = #"""
        {"nexusd":{"version":"0.1.0","state":"running","ready":true,"started_ms":1764000000000,"uptime_ms":1500,"cpu_us":250000,
        "memory_bytes":4096,"open_fds":9,"clients":1,"refused_clients":0,"lost_records":0,"bus_dropped_frames":0,
        "bus_open_requests":0,"lateness":{"sum_us":1200,"longest_us":1000,"bounds_us":[100,1000000],"counts":[1,2,0]},
        "turns":{"sum_us":5,"longest_us":5,"bounds_us":[100,1000000],"counts":[1,0,0]}},
        "children":[{"name":"a\"b\\c","group":"g","state":"ready","starts":2,"restarts":1,"ends":{"crash":1},"started_ms":1,
        "ready_ms":20,"cpu_us":1,"memory_bytes":null,"processes":null,"bus":null}]}
        """#

    private func text() throws -> String { MetricsReport(try JSONParser.parse(Array(Self.answer.utf8))).text() }

    @Test func families_haveTheirTypeUnitAndHelp_andBaseUnits() throws {
        let text = try text()
        #expect(
            text.contains(
                """
                # TYPE nexus_cpu_seconds counter
                # UNIT nexus_cpu_seconds seconds
                # HELP nexus_cpu_seconds Processor time of nexusd itself.
                nexus_cpu_seconds_total 0.25

                """))
        #expect(text.contains("nexus_uptime_seconds 1.5\n"))
        #expect(text.contains("nexus_start_time_seconds 1764000000\n"))
        #expect(text.contains("nexus_child_cpu_seconds_total{child=\"a\\\"b\\\\c\",group=\"g\"} 0.000001\n"))
        #expect(text.hasSuffix("# EOF\n"))
    }

    @Test func histogram_isCumulative() throws {
        #expect(
            try text().contains(
                """
                nexus_loop_lateness_seconds_bucket{le="0.0001"} 1
                nexus_loop_lateness_seconds_bucket{le="1.0"} 3
                nexus_loop_lateness_seconds_bucket{le="+Inf"} 3
                nexus_loop_lateness_seconds_count 3
                nexus_loop_lateness_seconds_sum 0.0012

                """))
    }

    @Test func whatIsNotKnown_hasNoSample_everyCauseHasOne() throws {
        let text = try text()
        #expect(!text.contains("nexus_child_memory_bytes{"))
        #expect(text.contains("cause=\"crash\"} 1\n") && text.contains("cause=\"oom\"} 0\n"))
        #expect(text.contains("nexus_child_state=\"scheduled\"} 0\n"))
        #expect(text.split(separator: "\n").count { $0.hasPrefix("nexus_child_state{") && $0.hasSuffix(" 1") } == 1)
    }
}
