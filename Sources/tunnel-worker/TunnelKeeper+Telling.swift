import Tunnel
import WorkerKit

/// How the tunnel is, in words, and to whom they go.
extension TunnelKeeper {
    /// The state's, with what to do about it: the same in status and log.
    var stateWords: String {
        machine.words(
            chatSocket: workshop.settings.chatSocket, whenOn: choice.mode ?? workshop.settings.mode,
            file: workshop.settings.mode, isThere: childPID != nil)
    }

    /// The state's, and what more there is to say about it.
    var words: String {
        let chat = workshop.settings.chatSocket
        var all = [stateWords]
        if machine.isSuspended {
            all.append("its process is stopped (state T, as by SIGSTOP): nexusctl signal \(Self.child) CONT")
        }
        if machine.state.connections != nil, let rules = measurement?.rules, !isLedHere {
            let patterns = rules.patterns(chatSocket: chat)
            if host == nil, !patterns.isEmpty {
                all.append(
                    "its rules lead \(patterns[0]) to the chat, and that is no name to go to; give it a plain one")
            } else {
                let what = rules.leadsToChat(chat) ? "\(host ?? "a plain name") to the page" : "to the chat"
                all.append("no rule leads \(what); the service to point at is unix:\(chat)")
            }
        }
        if machine.isUnread { all.append("what it leads to is not known, for its rules are not read") }
        if let strange = measurement?.strangeHostname, machine.chosen == .quick {
            all.append(
                "it calls itself '\(strange)', which is no quick tunnel's name and is not taken; nexusctl tunnel start")
        }
        if let doubt { all.append(doubt) }
        if let damage { all.append(damage) }
        if let unwritten {
            all.append("a restart of nexus forgets this, for it cannot be written yet: \(unwritten)")
        }
        return all.joined(separator: "; ")
    }

    /// What this machine's own looks find at the address in place of its page; nil: that, or no look in a row that counts.
    var doubt: String? {
        guard machine.state.connections != nil, let seenOutside else { return nil }
        let words = [
            seenOutside.look == .anothers ? seenOutside.words : nil,
            machine.addressFails ? addressTrouble(seenOutside) : nil,
        ]
        .compactMap { $0 }
        return words.isEmpty ? nil : words.joined(separator: "; ")
    }

    /// What never led here no restart mends; that it does not is said with what does.
    private func addressTrouble(_ seen: ChainCheck.Verdict) -> String {
        let remedy =
            switch machine.chosen {
            case _ where seen.look == .asked: "who is let in there comes to the page"
            case _ where seen.look == .unreached && machine.addressWorked:
                "it was found there before, so what is in the way lies between this machine and it (DNS here, port 443), and "
                    + "visitors may get it all the same"
            case .named:
                "if visitors do not get it either, lead the name's DNS record at Cloudflare here: "
                    + "cloudflared tunnel route dns \(workshop.settings.id) \(host ?? "NAME")"
            case .token: "if visitors do not get it either, look at the public hostname in the tunnel's dashboard"
            case .quick, .off: "if visitors do not get it either: nexusctl tunnel start, for another address"
            }
        return "no look of this machine's own got the page there, three times in a row: \(seen.words); \(remedy)"
    }

    /// The status line, when it changed; a new address of a quick tunnel also goes to the log.
    func show() {
        var words = words
        if leads, machine.state.connections != nil, !machine.addressFails, let address { words += " at \(address)" }
        if let why = machine.whyAnew(at: now) { words += "; cloudflared was started anew: \(why)" }
        if isDirectoryGone {
            words += "; \(workshop.directory) is gone from disk: what runs goes on, nexusctl tunnel start makes it anew"
        }
        if let complaint, !words.contains(complaint) { words += "; not taken: \(complaint)" }
        if let former = choice.former {
            words += "; on trial: back to \(former.wanted(workshop.settings.mode).rawValue) unless it is kept"
        }
        switch programOnDisk {
        case .same: break
        case .another: words += "; another cloudflared lies on disk: nexusctl tunnel start"
        case .refused(let why):
            if !words.contains(why) {
                words += "; another file lies in its program's place, with which the next start fails: \(why)"
            }
        case .gone:
            words += "; its program is gone from disk, the next start fails: put it back, or nexusctl tunnel start"
        }
        if words != shown {
            shown = words
            bus.status(words)
        }
        let news = ChatNews(
            mode: inForce, whenOn: choice.mode ?? workshop.settings.mode, state: machine.state.name, address: address,
            leads: leads)
        if news != told {
            told = news
            tell(TunnelEvent())
        }
        // Before that it leads nobody anywhere.
        guard let address, leads, machine.state.connections != nil, address != announced else { return }
        announced = address
        Log.notice("the page is reached at \(address)")
        tell(AddressEvent(url: address, url_lasts: inForce != .quick))
    }

    /// chat-bridge brings an address to the owner's devices where that is wanted (docs/word.md), and says where the page is
    /// found; it may be down, and asks later.
    private func tell(_ event: some Encodable) {
        guard bus.peer(named: Self.bridge) != nil, let event = try? JSON.line(event) else { return }
        Task { [bus] in try? await bus.emit(event, to: Self.bridge) }
    }

    /// By which chat-bridge says where the page is found.
    struct ChatNews: Hashable {
        var mode: TunnelMode
        var whenOn: TunnelMode
        var state: String
        var address: String?
        var leads: Bool
    }

    /// The name that visitors use.
    var host: String? {
        switch machine.chosen {
        case .off: nil
        case .quick: measurement?.quickHostname
        case .named: hostname
        case .token: hostname ?? measurement?.rules?.hostnames(chatSocket: workshop.settings.chatSocket).first
        }
    }

    /// Of what is in force, which may be older than what Supervisor.toml says.
    private var hostname: String? {
        machine.isUp ? preparation.map(\.hostname) ?? workshop.settings.hostname : workshop.settings.hostname
    }

    /// What runs, when what is wanted was not taken.
    var inForce: TunnelMode { complaint != nil && machine.isUp ? machine.chosen : wanted }

    /// By the rules in force; those that are not known are not held against it.
    var isLedHere: Bool {
        guard let rules = measurement?.rules, machine.chosen != .quick else { return true }
        return host.map { rules.lead($0, to: workshop.settings.chatSocket) } ?? false
    }

    /// The address leads here now, as far as is known. The chat may be gone: the way is there.
    var leads: Bool {
        address != nil && (machine.state.connections != nil || machine.state == .originDown) && isLedHere
    }

    /// `https://…` while cloudflared is connected, and before that for a name that is known.
    var address: String? { host.map { "https://\($0)" } }
}
