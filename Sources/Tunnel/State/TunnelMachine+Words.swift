/// What the state's own words cannot say: what to do depends on more than the state.
extension TunnelMachine {
    /// For the status line: what is, and what to do about it.
    /// - Parameters:
    ///   - chat: path of the chat's socket, at which rules of Cloudflare's dashboard are to point.
    ///   - whenOn: the mode in which a start brings it up; off: none is set up.
    ///   - file: the mode of Supervisor.toml, to which a command goes back.
    ///   - isThere: its process has not ended yet.
    public func words(chatSocket chat: String, whenOn: TunnelMode, file: TunnelMode, isThere: Bool = false) -> String {
        let state = state
        switch state {
        case .off:
            guard whenOn == .off else { return "off: no tunnel brings others to the page; nexusctl tunnel start" }
            return file == .off
                ? state.words : "off: no tunnel brings others to the page; nexusctl tunnel mode file (\(file.rawValue))"
        case .waitingForConfiguration:
            return "\(state.words); give it a public hostname there, whose service is unix:\(chat)"
        case .exposesMoreThanTheChat(let what):
            if isThere {
                return
                    "\(state.name): cloudflared is being ended, and what it exposes can be reached until it has: \(what)"
            }
            let remedy =
                halt == nil
                ? "it is started by itself when that is mended" : "mend it at Cloudflare, then nexusctl tunnel start"
            return "\(state.words); \(remedy)"
        case .settingsRefused, .stopped, .starting, .connecting, .connected, .degraded, .reconnecting,
            .credentialsRefused, .noNetwork, .noUplink, .noNames, .originDown, .crashed:
            return state.words
        }
    }

    /// Why it was started anew, for a while after that; nil: it was not, or a choice came since.
    public func whyAnew(at now: Duration) -> String? {
        guard isUp, let anew, now - anew.at < patience.told else { return nil }
        return anew.why
    }

    /// What goes on where a change was not taken.
    public var whatGoesOn: String {
        switch phase {
        case .asked, .running: "and what runs goes on"
        case .down: "and what was chosen before is tried again, as it was"
        case .off, .settingsRefused, .held: "and nothing runs"
        }
    }
}
