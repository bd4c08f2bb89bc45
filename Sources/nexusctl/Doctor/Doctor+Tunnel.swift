import ControlClient

extension Doctor {
    /// cloudflared, which tunnel-worker looks for as its own PATH and `[tunnel] program` say, and how the tunnel is. What
    /// nexusd executes as the child is tunnel-worker, which becomes cloudflared.
    func tunnel() -> [Finding] {
        guard let report, report.children.contains(where: { $0.name == TunnelLink.worker }) else { return [] }
        let link = TunnelLink(asked)
        let now: TunnelPicture
        do throws(ControlError) {
            now = TunnelPicture(description: try link.ask("describe").json)
        } catch {
            return [
                Finding(
                    .warn, "tunnel", error.message, remedy: error.hint ?? "nexusctl why \(TunnelLink.worker)")
            ]
        }
        let isWanted = now.description["mode"]?.text != "off"
        return [program(link, isWanted: isWanted)] + (isWanted ? [state(now)] : [])
    }

    private func program(_ link: TunnelLink, isWanted: Bool) -> Finding {
        do throws(ControlError) {
            let found = try link.ask("examine", more: [.init("answers", .object([]))]).json
            return Finding(.ok, "cloudflared", "\(found["program"]?.text ?? "?"), \(found["version"]?.text ?? "?")")
        } catch {
            guard isWanted else {
                return Finding(.ok, "cloudflared", "not needed while the tunnel is off: \(error.message)")
            }
            return Finding(.bad, "cloudflared", error.message, remedy: "then: nexusctl tunnel start")
        }
    }

    private func state(_ now: TunnelPicture) -> Finding {
        let words = now.description["words"]?.text ?? "?"
        if let complaint = now.description["complaint"]?.text, !words.contains(complaint) {
            return Finding(.bad, "tunnel", "\(words); not taken: \(complaint)", remedy: "nexusctl tunnel")
        }
        switch now.description["state"]?.text {
        case "connected" where now.doubt != nil:
            return Finding(.warn, "tunnel", words, remedy: "nexusctl tunnel check, then what is said there")
        case "connected" where now.leadsHere: return Finding(.ok, "tunnel", words)
        case "connected":
            return Finding(
                .warn, "tunnel", "\(words); nobody gets here by it",
                remedy: "lead its public name to the chat, as docs/tunnel.md has it, then: nexusctl tunnel check")
        case "origin down": return Finding(.bad, "tunnel", words, remedy: "nexusctl why chat-bridge")
        // The tunnel's own check would only find the same.
        case "no network":
            let remedy =
                "this machine's way out: ip route, /etc/resolv.conf, the router; the tunnel goes on by itself then"
            return Finding(.warn, "tunnel", words, remedy: remedy)
        case "degraded", "starting", "reconnecting", "waiting for configuration":
            return Finding(.warn, "tunnel", words, remedy: "nexusctl tunnel check")
        case _: return Finding(.bad, "tunnel", words, remedy: "nexusctl tunnel, nexusctl why cloudflared")
        }
    }
}
