import ControlClient
import SupervisorCore
import Wire

/// Starts a tunnel, waits for it to stand, and says what becomes of it meanwhile.
struct TunnelArrival {
    let place: Place
    private static let limitMilliseconds: Int64 = 120_000
    private static let lookMilliseconds: Int32 = 1000
    /// Without a network nothing comes of waiting here: it goes on by itself when there is one, which may be tomorrow.
    private static let networkMilliseconds: Int64 = 8000
    private static let child = "cloudflared"
    /// Of what stands behind the titles.
    private static let indent = 10

    private var link: TunnelLink { TunnelLink(place) }

    /// False: the owner left before it was started.
    func start(
        _ mode: String, _ questions: inout Questions, _ interrupts: borrowing Interrupts
    ) throws -> Bool {
        if let now = child(), now.state == "parked" {
            guard try mayStartAnew(now, &questions, interrupts) else { return false }
        }
        // How the last run before this start ended is no news of this one.
        var before = child()?.lastEnd?.run
        try wish("mode", mode: mode)
        while let parked = try wait(before, interrupts) {
            let words = Self.words(of: parked)
            guard questions.canAskAgain else {
                throw ControlError(
                    .failed, words, hint: "nexusctl tunnel start tries it at once; nexusctl why \(Self.child)")
            }
            guard try mayStartAnew(parked, &questions, interrupts) else {
                throw ControlError(.failed, words, hint: "it is what was chosen; nexusctl tunnel stop, or start")
            }
            before = parked.lastEnd?.run
            try wish("start")
        }
        return true
    }

    private func wish(_ op: String, mode: String? = nil) throws(ControlError) {
        do throws(ControlError) {
            _ = try link.ask(op, mode: mode)
        } catch {
            throw error.code == .interrupted ? Self.left : error
        }
    }

    private static let left = ControlError(
        .failed, "left while it was on its way", hint: "it goes on; see: nexusctl tunnel")

    /// Nil: it stands. Else cloudflared was given up in this start.
    private func wait(_ before: String?, _ interrupts: borrowing Interrupts) throws(ControlError) -> ChildStatus? {
        do throws(ControlError) {
            return try stand(before, interrupts)
        } catch {
            throw error.code == .interrupted ? Self.left : error
        }
    }

    private func stand(_ before: String?, _ interrupts: borrowing Interrupts) throws(ControlError) -> ChildStatus? {
        let limit = ControlConnection.now() + Self.limitMilliseconds
        var cutOff: Int64?
        var shown = ""
        while true {
            let answer = try link.ask("describe").json
            var (state, words) = (answer["state"]?.text ?? "?", Terminal.clean(answer["words"]?.text ?? "?"))
            if state == "crashed", let now = child() {
                if now.lastEnd?.run == before {
                    (state, words) = ("starting", "starting: \(Self.child) is not connected yet")
                } else if now.state == "parked" {
                    return now
                }
            }
            if words != shown { Output.tell("State     \(words)", indent: Self.indent) }
            shown = words
            if let minutes = answer["held_minutes"]?.number {
                throw ControlError(
                    .failed, "it is chosen, and cannot come to stand now: \(words)",
                    hint: "nothing runs for \(minutes) min; nexusctl tunnel stop leaves it")
            }
            switch state {
            case "connected", "degraded":
                conclude(answer)
                return nil
            case "starting", "reconnecting", "waiting for configuration", "no network", "origin down", "crashed": break
            case _: throw ControlError(.failed, "it does not come to stand: \(words)", hint: "see: nexusctl tunnel")
            }
            let now = ControlConnection.now()
            cutOff = state == "no network" ? cutOff ?? now : nil
            if let cutOff, now - cutOff >= Self.networkMilliseconds {
                throw ControlError(
                    .failed, "it is chosen, and cannot come to stand now: \(words)",
                    hint: "nothing more is to be done for that: it starts by itself; see: nexusctl tunnel")
            }
            guard now < limit else {
                throw ControlError(
                    .timeout, "it does not stand after two minutes", hint: "it goes on trying; see: nexusctl tunnel")
            }
            if case .interrupt = interrupts.wait(orReadable: [], milliseconds: Self.lookMilliseconds) {
                throw Self.left
            }
        }
    }

    /// From a pipe nobody is asked: a start is what was wished for.
    private func mayStartAnew(
        _ parked: ChildStatus, _ questions: inout Questions, _ interrupts: borrowing Interrupts
    ) throws -> Bool {
        Output.tell("\n\(Self.words(of: parked))")
        guard questions.canAskAgain else { return true }
        return try questions.ask("Press Enter to start it anew: ", interrupts) != nil
    }

    private static func words(of parked: ChildStatus) -> String {
        "\(child) is parked: \(Terminal.clean(parked.words))"
    }

    private func child() -> ChildStatus? {
        guard let report = try? StatusQuestion.report(place.connect()) else { return nil }
        return report.children.first { $0.name == Self.child }
    }

    private func conclude(_ answer: JSONValue) {
        let stays =
            answer["url_lasts"]?.flag == false
            ? "The choice stays over restarts, the address does not: nexusctl tunnel url shows the one of now."
            : "It stays so over restarts."
        // Of a token tunnel without a rule that leads to the chat there is none.
        let address = answer["url"]?.text.map { Terminal.clean($0) } ?? "none yet: see the state"
        Output.tell("Address   \(address)\n", indent: Self.indent)
        Output.tell(
            "\(stays)\nLet a phone in: nexusctl pair. See whether the whole way carries: nexusctl tunnel check.")
    }
}
