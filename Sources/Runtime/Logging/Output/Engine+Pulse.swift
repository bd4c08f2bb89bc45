import SupervisorCore
import System
import Wire

/// A log-writer that lives and does nothing (stopped, in a debugger, in a call that never returns) would hold every child
/// up without end: it is asked for a sign of life by SIGUSR1, and answers `alive`.
extension Engine {
    /// log-writer serves from now on.
    func beginPulse() {
        pulse.begin()
        watchPipes()
    }

    func endPulse() {
        pulse.end()
        watchPipes()
    }

    /// There is something for log-writer to read.
    func askLogWriter() {
        // The others' last lines are on their way to it: it has no time to be silent in.
        let isLast = logWriter.map { core.view(of: $0).phase == .stopping } ?? false
        guard pulse.ask(at: now, isLast: isLast) else { return }
        // What came up to now is what the answer is about.
        _ = pipeWatch?.takeNews()
        watchPipes()
        guard let logWriter, let run = self[logWriter].run, !run.hasExited else { return }
        try? kernel.signal(run.pidfd, .user1)
    }

    func takePulse(isBehind: Bool) { pulse.answered(isBehind: isBehind, at: now) }

    /// At the pulse's deadline.
    func feelPulse() {
        switch pulse.step(at: now, hasNews: { pipeWatch?.takeNews() ?? false }) {
        case .nothing: break
        case .watch: watchPipes()
        case .ask: askLogWriter()
        case .end(let silence): endSilentLogWriter(after: silence)
        }
    }

    private func watchPipes() {
        guard let pipeWatch, pulse.isWatching != isWatchingPipes else { return }
        isWatchingPipes = pulse.isWatching
        try? surroundings.poller.modify(
            pipeWatch.set, token: EventSource.outputs.token, for: isWatchingPipes ? .readable : [])
    }

    /// It is killed and not asked to end: it would not hear that either, and what it has not written is in the pipes.
    private func endSilentLogWriter(after silence: Duration) {
        guard let logWriter, let run = self[logWriter].run else { return }
        switch core.view(of: logWriter).phase {
        // One that is to end is replaced too: what the others said last is in their pipes.
        case .ready, .stopping: break
        case .off, .waiting, .scheduled, .delayed, .starting, .unkillable, .parked, .done: return
        }
        let words = "\(names[logWriter]) has not answered for \(silence.words): it is killed and replaced"
        say(
            LogEvent(.supervisorTrouble, 3, "\(words). What children said is in their pipes.", names[logWriter], run.id)
        )
        outputGuard.begin(at: now, after: silence + LogWriterPulse.pause)
        remark(logWriter, run.id, "it has not answered for \(silence.words)")
        feed(.watchdogTrigger(logWriter, run.id))
        try? kernel.signal(run.pidfd, .kill)
    }
}
