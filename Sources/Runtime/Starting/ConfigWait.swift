import SupervisorCore
import System

/// Waits for a run of nexus-config before there is a loop; whoever asks nexusd to stop meanwhile ends it.
struct ConfigWait {
    private let surroundings: Surroundings
    private let run: ConfigRun

    init(_ surroundings: Surroundings, _ task: ConfigTask) throws(Errno) {
        self.surroundings = surroundings
        run = try ConfigRun(surroundings, task)
    }

    func outcome() throws(Errno) -> ConfigRun.Outcome {
        while !run.isOver {
            run.expire(at: surroundings.kernel.monotonic())
            if run.isOver { break }
            let limit = run.deadline.map { $0 - surroundings.kernel.monotonic() }
            try surroundings.poller.wait(atMost: limit)
            for index in 0..<surroundings.poller.batch.count {
                guard let source = EventSource(token: surroundings.poller.batch[index].token) else { continue }
                if source == .signals { takeSignals() } else { run.take(source) }
            }
        }
        return run.finish()
    }

    private func takeSignals() {
        while let received = try? surroundings.signals.next() {
            switch received.signal {
            case .child: reap()
            case .terminate, .interrupt, .quit, .power, .halt: run.stop()
            case _: break
            }
        }
    }

    private func reap() {
        while case .reaped(let ended)? = try? surroundings.reaper.next(before: { _ in }) {
            if ended.process == run.process {
                run.ended(ended)
            } else {
                surroundings.containment.orphanEnded(ended.process)
            }
        }
    }
}
