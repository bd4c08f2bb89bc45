extension StatusReport {
    /// The same some time later, when nothing has happened meanwhile: the times in it have gone on.
    public func aged(by time: Duration) -> StatusReport {
        var aged = self
        aged.uptime? += time
        for index in aged.children.indices {
            aged.children[index].since? += time
            aged.children[index].lastEnd?.ago? += time
            aged.children[index].nextTry = aged.children[index].nextTry.map { max(.zero, $0 - time) }
            aged.children[index].limit = aged.children[index].limit.map { max(.zero, $0 - time) }
            if var recycle = aged.children[index].recycle {
                recycle.notBefore = max(.zero, recycle.notBefore - time)
                recycle.within = max(.zero, recycle.within - time)
                aged.children[index].recycle = recycle
            }
        }
        for index in aged.groups.indices {
            aged.groups[index].nextTry = aged.groups[index].nextTry.map { max(.zero, $0 - time) }
        }
        return aged
    }

    /// The table for a screen: what stands still at its top, and what scrolls.
    /// - Parameter gone: the time of day since which no nexusd says anything; nil: it does. What it said last is no word about
    ///   now then, and has no colours.
    public func picture(
        user: String?, for terminal: Terminal, only names: [String] = [], gone: String? = nil
    ) -> (head: [String], body: [String]) {
        let shown = Terminal(colour: terminal.colour && gone == nil, columns: terminal.columns)
        let headline = headlines(user: user, for: shown)
        var lines = table(user: user, for: shown, only: names)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        // The headline comes first, an empty line follows, then the heads of the columns.
        let columns = headline.count + 1
        let head = Array(lines.prefix(columns + 1))
        let warning = gone.map { terminal.styled("NO NEXUSD since \($0): what follows is how it was then", .red) }
        return ([warning].compactMap(\.self) + head, Array(lines.dropFirst(columns + 1)))
    }

    /// What is worth a new table in a file: everything but the passing of time.
    public var substance: String {
        state + (ready ? "1" : "0") + notes.joined(separator: "\n")
            + groups.map { $0.name + $0.state }.joined(separator: "\n")
            + children.map { "\($0.name) \($0.state) \($0.run ?? "") \($0.restarts) \($0.status ?? "")" }
            .joined(separator: "\n")
    }
}
