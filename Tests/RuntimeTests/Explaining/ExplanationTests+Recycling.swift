import Plan
import SupervisorCore

@testable import Runtime

extension ExplanationTests {
    /// Ready, above 64 MiB, so many seconds after it was ready.
    private static func grown(after seconds: Int64, within patience: Int64, isWatched: Bool = true) -> Stage {
        var stage = up {
            $0.bounds.recycle = RecycleRule(above: 64 << 20, patience: .seconds(patience))
            $0.policy.delay.stableAfter = .seconds(45)
        }
        stage.pass(.seconds(seconds))
        stage.grows(.a, isWatched: isWatched)
        return stage
    }

    static let recycling: [Case] = [
        Case(
            testDescription: "grown, and ready for long enough", phase: .ready, cause: nil,
            settings: ["memory.recycle = 64MiB", "memory.recycle-within = 30min", "restart = always"],
            says: [
                "it serves; it has grown above 64 MiB (`memory.recycle`), and is replaced when it is idle, in 30 min at the"
                    + " latest (`memory.recycle-within`)"
            ]
        ) { grown(after: 50, within: 1800) },
        Case(
            testDescription: "grown, and not ready for long enough", phase: .ready, cause: nil,
            settings: [
                "memory.recycle = 64MiB", "memory.recycle-within = 30min", "delay.stable-after = 45s",
                "restart = always",
            ],
            says: [
                "when it is idle, not before it has been ready for 45 s (`delay.stable-after`), in 40 s, in 30 min at the"
                    + " latest"
            ]
        ) { grown(after: 5, within: 1800) },
        Case(
            testDescription: "grown, and only `stable-after` is waited for", phase: .ready, cause: nil,
            settings: [
                "memory.recycle = 64MiB", "memory.recycle-within = 1s", "delay.stable-after = 45s", "restart = always",
            ], says: ["and is replaced when it has been ready for 45 s (`delay.stable-after`), in 40 s"]
        ) { grown(after: 5, within: 1) },
        Case(
            testDescription: "grown, and nobody says when it is idle", phase: .ready, cause: nil,
            settings: ["memory.recycle = 64MiB", "memory.recycle-within = 30min", "restart = always"],
            says: ["is replaced in 30 min (`memory.recycle-within`): no worker may say when it is idle (`restart:a`)"]
        ) { grown(after: 50, within: 1800, isWatched: false) },
        Case(
            testDescription: "it drains, to be recycled", phase: .stopping, cause: .recycled,
            settings: [
                "memory.recycle = 64MiB", "memory.recycle-within = 1h", "stop-timeout = 5s", "kill-grace = 5s",
            ],
            says: ["asked to drain, and gets its stop signal when it is idle, or in 60 min", "its word `drained`"]
        ) {
            var stage = Stage([
                child("a", "worker", readiness: .bus, worker: WorkerPlan()) {
                    $0.bounds.recycle = RecycleRule(above: 64 << 20)
                    $0.policy.delay.stableAfter = .seconds(1)
                    $0.policy.stop.drain = .seconds(5)
                }
            ])
            stage.ready(.a)
            stage.pass(.seconds(1))
            stage.recycle(.a, within: .seconds(3600))
            let run = stage.view(.a).run ?? RunID(rawValue: 0)
            stage.remark = EndRemark(run, "it had grown", stage.explanation(.a).settings(of: .recycled))
            return stage
        },
        Case(
            testDescription: "it drains, as it is stopped", phase: .stopping, cause: .asked,
            settings: ["drain-timeout = 5s", "stop-timeout = 5s", "kill-grace = 5s"], says: ["or in 5 s"]
        ) {
            var stage = Stage([
                child("a", "worker", readiness: .bus, worker: WorkerPlan()) { $0.policy.stop.drain = .seconds(5) }
            ])
            stage.ready(.a)
            stage.send(.command(.stop(.child(.a)), CommandID(rawValue: 1)))
            return stage
        },
    ]
}
