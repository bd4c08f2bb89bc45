import ControlClient
import SupervisorCore
import Wire

/// Waits for a tunnel to stand, and says what becomes of it meanwhile.
struct TunnelArrival {
    let link: TunnelLink
    private static let limitMilliseconds: Int64 = 120_000
    private static let lookMilliseconds: Int32 = 1000

    func wait(_ interrupts: borrowing Interrupts) throws {
        let limit = ControlConnection.now() + Self.limitMilliseconds
        var shown = ""
        while true {
            let answer = try link.ask("describe").json
            let (state, words) = (answer["state"]?.text ?? "?", Terminal.clean(answer["words"]?.text ?? "?"))
            if words != shown { Output.write("State     \(words)\n") }
            shown = words
            switch state {
            case "connected", "degraded": return conclude(answer)
            case "starting", "reconnecting", "waiting for configuration", "no network", "origin down", "crashed": break
            case _: throw ControlError(.failed, "it does not come to stand: \(words)", hint: "see: nexusctl tunnel")
            }
            guard ControlConnection.now() < limit else {
                throw ControlError(
                    .timeout, "it does not stand after two minutes", hint: "it goes on trying; see: nexusctl tunnel")
            }
            if case .interrupt = interrupts.wait(orReadable: [], milliseconds: Self.lookMilliseconds) {
                throw ControlError(.failed, "left while it was on its way", hint: "it goes on; see: nexusctl tunnel")
            }
        }
    }

    private func conclude(_ answer: JSONValue) {
        let stays =
            answer["url_lasts"]?.flag == false
            ? "The choice stays over restarts, the address does not: nexusctl tunnel url shows the one of now."
            : "It stays so over restarts."
        Output.write(
            """
            Address   \(Terminal.clean(answer["url"]?.text ?? "?"))

            \(stays)
            Let a phone in: nexusctl pair. See whether the whole way carries: nexusctl tunnel check.

            """)
    }
}
