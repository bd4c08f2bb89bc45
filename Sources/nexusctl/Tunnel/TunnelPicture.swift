import ControlClient
import Wire

/// The answer to `describe` for people.
struct TunnelPicture {
    let description: JSONValue
    /// The child, as nexusd has it; nil: it does not say.
    var child: ChildStatus?

    /// Asks and shows.
    static func show(_ answer: (json: JSONValue, line: [UInt8]), _ place: Place, json: Bool) {
        if json { return Output.write(answer.line + [UInt8(ascii: "\n")]) }
        let report = try? StatusQuestion.report(place.connect())
        let picture = TunnelPicture(
            description: answer.json, child: report?.children.first { $0.name == "cloudflared" })
        Output.write(picture.text(for: .standardOutput))
    }

    /// Its address leads here now. `origin down` counts: it is the chat that is gone, not the way.
    var leadsHere: Bool { description["url_leads"]?.flag == true }

    /// What this machine's own looks find at the address in place of its page.
    var doubt: String? { leadsHere ? description["url_doubt"]?.text : nil }

    /// The way is there, and the chat at its end does not answer.
    var isWithoutChat: Bool { description["state"]?.text == "origin down" }

    /// A line for each thing there is to say.
    func text(for terminal: Terminal) -> String {
        let title = "State    "
        var lines: [String] = []
        if let next { lines.append("Next     \(next)") }
        if let why = text("started_anew") { lines.append("         cloudflared was started anew: \(why)") }
        lines.append("Mode     \(text("mode") ?? "?"), \(chosen)")
        if let url = text("url") { lines.append("Address  \(url)\(remark)") }
        lines.append("Reach    \(text("reach") ?? "?")")
        if let program = text("program") { lines.append("Program  \(program), \(text("version") ?? "?")") }
        if let left = description["trial_left"]?.number {
            lines.append(
                "Trial    back to \(text("trial_back") ?? "?") in \(left) s unless it is kept: nexusctl tunnel keep")
        }
        if let complaint = text("complaint") { lines.append("Refused  \(complaint)") }
        if description["new_program"]?.flag == true {
            lines.append("         another cloudflared lies on disk; nexusctl tunnel start takes it")
        }
        if let why = text("program_refused"), text("words")?.contains(why) != true {
            lines.append("         another file lies in its program's place, with which the next start fails: \(why)")
        }
        if description["program_gone"]?.flag == true {
            lines.append(
                "         its program is gone from disk; the next start fails: put it back, or nexusctl tunnel start takes "
                    + "one that lies elsewhere")
        }
        let state = terminal.folded(title + (text("words") ?? "?"), indent: Self.indent).dropFirst(title.count)
        let rest = lines.map { terminal.folded($0, indent: Self.indent) }
        return ([title + terminal.styled(String(state), .bold)] + rest).joined(separator: "\n") + "\n"
    }

    /// Of what stands behind the titles.
    private static let indent = 9

    private func text(_ name: String) -> String? { description[name]?.text.map { Terminal.clean($0) } }

    /// By whom; what the file says may be refused while something older goes on.
    private var chosen: String {
        if description["chosen_by_command"]?.flag == true { return "chosen by command" }
        guard let file = text("mode_of_file"), file != text("mode") else { return "chosen by Supervisor.toml" }
        return "as before; Supervisor.toml says \(file), which was not taken"
    }

    private var remark: String {
        if !leadsHere { return "   (does not lead here now)" }
        return description["url_lasts"]?.flag == false ? "   (does not last: another one after each start)" : ""
    }

    /// What nexusd does about a cloudflared that is down, and when.
    private var next: String? {
        guard let child, description["mode"]?.text != "off" else { return nil }
        let when = child.nextTry.map { "next try in \($0.spoken)" }
        switch child.state {
        // A start would be refused; the state says what it waits for.
        case "parked" where description["waits_for_program"]?.flag == true: return nil
        case "parked":
            return "cloudflared is parked, \(when ?? "and not tried again by itself"); at once: nexusctl tunnel start"
        case "delayed": return when.map { "\($0); at once: nexusctl tunnel start" }
        case "unkillable": return "cloudflared cannot be ended; nexusctl why cloudflared"
        case _: return nil
        }
    }
}
