import ControlClient
import Glibc
import Wire

/// cloudflared as the subject of an update: tunnel-worker finds it, starts it, and says whether it is connected. A visitor's page is
/// cut off for the moments between the two; the agent is not touched, so nobody has to be idle.
struct CloudflaredUpdate: UpdateSubject {
    static let program = "cloudflared"
    let place: Place
    let options: UpdateOptions
    /// The oldest that tunnel-worker takes (docs/tunnel.md).
    private static let oldest = [2025, 4, 0]
    private static let lookMilliseconds: Int32 = 500

    init(_ place: Place, _ options: UpdateOptions) {
        self.place = place
        self.options = options
    }

    private var link: TunnelLink { TunnelLink(place) }

    func child() throws(ControlError) -> AgentChild { try AgentChild(place, program: Self.program) }

    func version(of path: String, from origin: String, _ child: AgentChild) throws(ControlError) -> String {
        let trial = ProgramTrial(
            child: child, origin: origin, name: Self.program, question: ["version", "--short"])
        try trial.checkForm(path)
        let version = try trial.version(path)
        let numbers = version.text.split(separator: ".").compactMap { Int($0) }
        guard numbers.count == 3, !numbers.lexicographicallyPrecedes(Self.oldest) else {
            throw ControlError(
                .failed, "\(origin) is cloudflared \(version.text), and 2025.4.0 or newer is needed",
                hint: "https://github.com/cloudflare/cloudflared/releases")
        }
        return version.text
    }

    /// tunnel-worker looks, as for a start. Where it does not run there is nobody to look, and nothing to try.
    func check(_ tried: String?) throws(ControlError) {
        guard try isServed(), let tried else { return }
        let found = try link.ask("examine", more: [.init("answers", .object([]))]).json["program"]?.text ?? "nothing"
        guard found == tried else {
            throw ControlError(
                .failed, "tunnel-worker finds \(found), whatever is accepted",
                hint: "take `program` out of [tunnel], and give [child.tunnel-worker.environment]\n"
                    + "NEXUS_PROGRAMS = \"{state}/programs\"; then: nexusctl reload")
        }
    }

    private func isServed() throws(ControlError) -> Bool {
        guard try child().report != nil else { return false }
        let report = try StatusQuestion.report(place.connect())
        return report.children.contains {
            $0.name == TunnelLink.worker && !["off", "parked", "done", "unkillable"].contains($0.state)
        }
    }

    func awaitStable(_ child: AgentChild) {}

    func awaitIdle() {}

    func takeOver(_ tried: String?, isAtOnce: Bool) throws(ControlError) -> Bool {
        guard try isServed() else { return false }
        let now = try link.ask("describe").json
        // What was stopped by command is not started by an update.
        guard now["mode"]?.text != "off", now["state"]?.text != "stopped" else { return false }
        let watch = try UpdateWatch(child().name, place)
        _ = try link.ask("start")
        // A crash just before may have been followed by a run of the copy that was gone by then.
        try watch.leaveOutEnd()
        _ = try watch.untilReady(executable: nil, until: ControlConnection.now() + options.serveMilliseconds)
        return true
    }

    /// It is connected as the tunnel's own measurement says.
    func canary() throws(ControlError) -> String {
        let deadline = ControlConnection.now() + options.serveMilliseconds
        while true {
            let now = try link.ask("describe").json
            let words = now["words"]?.text ?? "?"
            // Of a chat that does not answer the tunnel knows because it is there itself.
            if ["connected", "degraded", "origin down"].contains(now["state"]?.text) {
                return "\(words.split(separator: ":").first.map(String.init) ?? words), \(now["version"]?.text ?? "?")"
            }
            guard ControlConnection.now() < deadline else { throw ControlError(.failed, "the tunnel is \(words)") }
            poll(nil, 0, Self.lookMilliseconds)
        }
    }
}
