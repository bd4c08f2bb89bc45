import Plan
import SupervisorCore
import Wire

/// HTTP probes: nexusd asks nexus-probe, one request a probe, and judges the answer itself.
extension Engine {
    /// nil when nexus-probe is not there, or has as much to do as it takes.
    func ask(_ http: HTTPProbe) -> ProbeRun? {
        guard let prober = plan.prober, let port = try? values([:]).resolve(http.port),
            let number = UInt16(port), number > 0
        else { return nil }
        let milliseconds = Int(max(1, http.timeout.nanoseconds / 1_000_000))
        let question = HTTPQuestion(milliseconds: milliseconds, host: http.host, port: number, path: http.path)
        guard let id = router.ask(PeerID(prober), question.payload, at: now) else { return nil }
        return ProbeRun.ask(kernel, id, timeout: http.timeout, at: now)
    }

    /// The answer to the question `id`, or the news that there will be none.
    func finishQuestion(_ id: FrameID, _ answer: HTTPAnswer) {
        for child in probing {
            guard let run = self[child].run, let probe = run.probe, probe.state == .asking(id) else { continue }
            probe.answered(verdict(on: answer, for: child))
            return report(probe, child, run)
        }
    }

    private func verdict(on answer: HTTPAnswer, for child: ChildID) -> ProbeVerdict {
        switch answer {
        case .status(let status, let milliseconds):
            guard case .http(let http) = wantedProbe(child) else { return .unknown("no verdict: asked no more") }
            if http.accepts(status) { return .healthy }
            return .unhealthy("HTTP \(status) after \(milliseconds) ms, healthy are \(http.statusWords)")
        case .failure(let why): return .unhealthy(why)
        case .none(let why): return .unknown("no verdict: \(why)")
        case .malformed(let words):
            let prober = plan.prober
            let sentence = "nexus-probe answered what is no answer: \(words)"
            say(
                LogEvent(
                    .supervisorTrouble, 4, "\(sentence).", prober.map { names[$0] },
                    prober.flatMap { self[$0].run?.id }))
            return .unknown("no verdict: \(sentence)")
        }
    }

    /// It has let a question lie that it was to give up itself: its run ends, and its rule brings it back.
    func proberHangs() {
        guard let prober = plan.prober, let run = self[prober].run, !run.hasExited else { return }
        remark(prober, run.id, "it left a question unanswered")
        feed(.linkBroken(prober, run.id, .probe))
    }
}
