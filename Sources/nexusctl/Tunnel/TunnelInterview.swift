import ControlClient
import SupervisorCore
import Wire

/// Asks what a tunnel needs. Each answer is looked at by tunnel-worker, as a start would.
struct TunnelInterview {
    let link: TunnelLink

    /// What came of it.
    struct Plan {
        var mode: String
        var file: String?
        var url: String?
        /// Of a named tunnel.
        var id: String?
        /// Supervisor.toml says it already.
        var stands = false

        /// For Supervisor.toml.
        var lines: String {
            var lines: [String] = []
            if let url {
                let line = url.isEmpty ? "# and no url: the rules give the address" : "url = \"\(Terminal.clean(url))\""
                lines += ["    [chat]", "    \(line)", ""]
            }
            lines.append("    [tunnel]")
            if let id { lines.append("    id = \"\(Terminal.clean(id))\"") }
            if let file { lines.append("    \(fileKey) = \(JSONValue.string(file).line)") }
            return lines.joined(separator: "\n") + "\n"
        }

        private var fileKey: String { mode == "named" ? "credentials-file" : "token-file" }

        fileprivate var members: [JSONValue.Member] {
            let file = file.map { [JSONValue.Member(mode == "named" ? "credentials_file" : "token_file", .string($0))] }
            let url = url.map { [JSONValue.Member("url", .string($0))] }
            return [.init("mode", .string(mode))] + (file ?? []) + (url ?? [])
        }
    }

    /// Nil: the owner left.
    func plan(_ questions: inout Questions, _ interrupts: borrowing Interrupts) throws(ControlError) -> Plan? {
        Output.tell(
            """
            cloudflared keeps a way open from this machine to Cloudflare, by which browsers reach the page. Nothing on this \
            machine listens for others, and only the page is offered.
            """)
        guard let found = try program(&questions, interrupts), let mode = try mode(&questions, interrupts) else {
            return nil
        }
        var plan = Plan(mode: mode)
        guard mode != "quick" else {
            plan.stands = true
            return plan
        }
        Output.tell("\n" + (mode == "named" ? Self.named : Self.token(found.service)) + "\n")
        guard try answer("The file, from /: ", &plan, \.file, &questions, interrupts) else { return nil }
        let address =
            mode == "named" ? "The page's address: " : "The page's address (Enter: as the dashboard's rules say): "
        guard try answer(address, &plan, \.url, &questions, interrupts) else { return nil }
        return plan
    }

    /// Looks at a plan as far as it goes; what the look found is in the plan that comes back.
    func examine(_ plan: Plan?, mustStand: Bool = false) throws(ControlError) -> (plan: Plan?, found: Found) {
        let answer = try link.ask("examine", more: [.init("answers", .object(plan?.members ?? []))]).json
        var plan = plan
        plan?.id = answer["id"]?.text
        let differing = (answer["differs"]?.elements ?? []).compactMap(\.text)
        plan?.stands = differing.isEmpty
        if mustStand, !differing.isEmpty {
            let keys = Terminal.clean(differing.joined(separator: ", "))
            throw ControlError(
                .failed,
                "the file was reloaded as it is, and the lines are not in force yet: it says something else for \(keys)"
            )
        }
        func text(_ name: String) -> String { Terminal.clean(answer[name]?.text ?? "?") }
        return (plan, Found(program: "\(text("program")), \(text("version"))", service: text("service")))
    }

    /// What tunnel-worker says besides.
    struct Found {
        /// cloudflared and its version.
        var program: String
        /// What a rule of Cloudflare's dashboard must lead to.
        var service: String
    }

    /// Nil: the owner left.
    private func program(
        _ questions: inout Questions, _ interrupts: borrowing Interrupts
    ) throws(ControlError) -> Found? {
        while true {
            do {
                let found = try examine(nil).found
                Output.tell("\nProgram   \(found.program)", indent: 10)
                return found
            } catch {
                guard Self.isAnswer(error), questions.canAskAgain else { throw error }
                Output.tell("\n\(Terminal.clean(error.message))")
                guard try questions.ask("Press Enter when it is there: ", interrupts) != nil else { return nil }
            }
        }
    }

    private func mode(_ questions: inout Questions, _ interrupts: borrowing Interrupts) throws(ControlError) -> String?
    {
        Output.tell(
            """

            quick   no account, for a try: the address changes with every start of cloudflared, and whoever used the old \
            one has to be told
            named   an address of your own that lasts; the tunnel is made here, by `cloudflared tunnel create`
            token   an address of your own that lasts; the tunnel is made in Cloudflare's dashboard
            """, indent: 8)
        while let word = try questions.ask("\nWhich way? ", interrupts)?.lowercased() {
            do throws(ControlError) {
                guard ["quick", "named", "token"].contains(word) else {
                    throw ControlError(.usage, "'\(word)' is none of quick, named and token")
                }
                if word == "quick" { _ = try examine(Plan(mode: word)) }
                return word
            } catch {
                guard Self.isAnswer(error), questions.canAskAgain else { throw error }
                Output.complain(folded: Terminal.clean(error.message))
            }
        }
        return nil
    }

    /// What was answered is wrong; all else no other answer mends.
    private static func isAnswer(_ error: ControlError) -> Bool { error.code == .usage }

    /// A name alone is taken for the address that it means, and one with the slash that browsers put behind it.
    private static func address(_ word: String) -> String {
        guard !word.isEmpty else { return word }
        let whole = word.contains("://") ? word : "https://" + word
        return whole.last == "/" && !whole.hasSuffix("://") ? String(whole.dropLast()) : whole
    }

    /// One more answer, taken when what there is then is good. False: the owner left.
    private func answer(
        _ question: String, _ plan: inout Plan, _ field: WritableKeyPath<Plan, String?>, _ questions: inout Questions,
        _ interrupts: borrowing Interrupts
    ) throws(ControlError) -> Bool {
        while let word = try questions.ask(question, interrupts) {
            do {
                var next = plan
                next[keyPath: field] = field == \.url ? Self.address(word) : word
                plan = try examine(next).plan ?? next
                return true
            } catch {
                guard Self.isAnswer(error), questions.canAskAgain else { throw error }
                Output.complain(folded: Terminal.clean(error.message))
            }
        }
        return false
    }

    private static let named = """
        On any machine with a browser, once, with your own name in place of chat.example.com:
            cloudflared tunnel login
            cloudflared tunnel create nexus
            cloudflared tunnel route dns nexus chat.example.com
        The second of them writes a file UUID.json. It belongs on this machine, readable for tunnel-worker alone (chmod 600).
        """

    private static func token(_ service: String) -> String {
        """
        In Cloudflare's dashboard: Networks, Tunnels, Create a tunnel, Cloudflared. It shows a command with a long word behind \
        --token: that word alone belongs in a file on this machine, readable for tunnel-worker alone (chmod 600). In the \
        dashboard, lead the public name to the service \(service) and to nothing else.
        """
    }
}
