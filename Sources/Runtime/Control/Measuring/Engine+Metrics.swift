import SupervisorCore
import System
import Wire

extension Engine {
    /// Everything about nexusd itself, up to the first child.
    func metricsHead() -> [UInt8] {
        let usage = UsageNow(process: "self", alone: true, kernel)
        var json = JSONWriter(capacity: 2048)
        json.object { json in
            json.object("nexusd") { json in
                json.field("version", NexusVersion.current)
                json.field("pid", kernel.processID().rawValue)
                json.field("state", state.rawValue)
                json.field("ready", board.isReady)
                json.field("started_ms", Int64(surroundings.second) * 1000)
                json.field("uptime_ms", (now - started).wholeMilliseconds)
                json.field("cpu_us", usage.cpuMicroseconds)
                json.field("memory_bytes", usage.memoryBytes)
                json.field("open_fds", (try? kernel.list("/proc/self/fd"))?.count)
                json.field("clients", clients.count)
                json.field("refused_clients", refusals.total)
                json.field("lost_records", journal.lostRecords)
                json.field("bus_dropped_frames", router.dropped)
                json.field("bus_open_requests", router.openCount)
                json.object("lateness") { Self.write(loopClock.lateness, into: &$0) }
                json.object("turns") { Self.write(loopClock.turns, into: &$0) }
            }
        }
        return json.bytes.dropLast() + Array(",\"children\":[".utf8)
    }

    private static func write(_ histogram: LoopClock.Histogram, into json: inout JSONWriter) {
        json.field("sum_us", histogram.sum.nanoseconds / 1000)
        json.field("longest_us", histogram.longest.nanoseconds / 1000)
        json.array("bounds_us") { json in
            for bound in LoopClock.Histogram.bounds { json.value(bound.nanoseconds / 1000) }
        }
        json.array("counts") { json in for count in histogram.counts { json.value(count) } }
    }

    func metrics(of cell: ChildCell) -> [UInt8] {
        let view = core.view(of: cell.id)
        let policy = plan.policy(cell.id)
        let usage = cell.run.map { UsageNow($0, kernel) }
        var json = JSONWriter(capacity: 768)
        json.object { json in
            json.field("name", names[cell.id])
            json.field("group", policy.group.map { names[$0] })
            json.field("state", view.phase.rawValue)
            json.field("starts", view.endedRuns + (view.run == nil ? 0 : 1))
            json.field("restarts", view.restarts)
            json.object("ends") { json in
                for cause in Cause.allCases {
                    let count = cell.ends?.count(of: cause) ?? 0
                    if count > 0 { json.field(cause.rawValue, count) }
                }
            }
            json.field("started_ms", view.started.map { kernel.wallClock() / 1_000_000 - (now - $0).wholeMilliseconds })
            json.field("ready_ms", Self.readyTime(view))
            json.field("cpu_us", usage?.cpuMicroseconds)
            json.field("cpu_is_whole_run", usage?.cpuIsWhole ?? false)
            json.field("memory_bytes", usage?.memoryBytes)
            json.field("memory_is_whole_run", usage?.memoryIsWhole ?? false)
            json.field("processes", usage?.processes)
            json.object("log") { Self.write(cell.logTally?.counts ?? LogCounts(), into: &$0) }
            if plan.isWorker(cell.id) {
                json.object("bus") { write(PeerID(cell.id), into: &$0) }
            } else {
                json.null("bus")
            }
        }
        return json.bytes
    }

    private static func readyTime(_ view: ChildView) -> Int64? {
        guard let started = view.started, let ready = view.ready else { return nil }
        return (ready - started).wholeMilliseconds
    }

    private static func write(_ log: LogCounts, into json: inout JSONWriter) {
        json.field("bytes", log.bytes)
        json.field("lines", log.lines)
        json.field("suppressed", log.suppressed)
        json.field("dropped", log.dropped)
        json.field("missing_in_journal", log.missingInJournal)
    }

    private func write(_ worker: PeerID, into json: inout JSONWriter) {
        let counts = router.counts(of: worker)
        json.field("frames_in", counts.framesIn)
        json.field("bytes_in", counts.bytesIn)
        json.field("frames_out", counts.framesOut)
        json.field("bytes_out", counts.bytesOut)
        json.field("refused", counts.refused)
        json.field("full", counts.full)
        json.field("queued_bytes", router.queuedBytes(for: worker))
    }
}
