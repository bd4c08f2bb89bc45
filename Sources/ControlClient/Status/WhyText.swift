/// The words of `nexusctl why`: how a child is, what rule applies, what comes next and what its last run said.
public struct WhyText: Hashable, Sendable {
    private let status: ChildStatus
    private let answer: JSONValue

    /// nexusd's answer to `why`.
    public init(_ answer: JSONValue) {
        status = ChildStatus(answer["child"] ?? .null)
        self.answer = answer
    }

    /// Some lines, each ending in a newline.
    public func text(for terminal: Terminal) -> String {
        var lines = [
            "\(terminal.styled(Terminal.clean(status.name), .bold)) is \(terminal.styled(status.state, status.style))"
                + (status.since.map { " since \($0.spoken)" } ?? "") + (status.words.isEmpty ? "" : ": \(status.words)")
        ]
        if let run = status.run { lines.append("  run      \(run), pid \(status.pid.map(String.init) ?? "-")") }
        if let executable = status.executable, !executable.isEmpty { lines.append("  executes \(executable)") }
        if let end = status.lastEnd {
            let ran = end.ran.map { ", after \($0.spoken)" } ?? ""
            let ago = end.ago.map { ", \($0.spoken) ago" } ?? ""
            let took = [
                end.cpu.map { "\($0.spoken) of processor time" }, end.peakBytes.map { "\($0 >> 20) MiB at most" },
            ]
            .compactMap { $0 }.joined(separator: ", ")
            lines.append("  last end \(end.exit) (cause \(end.cause))\(ran)\(ago); run \(end.run)")
            if !took.isEmpty { lines.append("  it took  \(took)") }
        }
        lines.append("  restarts \(status.restarts), unstable in a row \(status.unstableRuns)")
        if let rule = answer["rule"]?.text { lines.append("  rule     \(rule)") }
        if let next = answer["next"]?.text { lines.append("  next     \(next)") }
        if let givesUp = answer["gives_up"]?.text { lines.append("  gives up \(givesUp)") }
        let said = (answer["last_lines"]?.elements ?? []).compactMap(\.text)
        if !said.isEmpty {
            lines.append("  its last lines:")
            lines += said.map { "    " + Terminal.clean($0) }
        }
        // The first line carries the colours; the rest are words of others.
        return lines.enumerated().map { $0.offset == 0 ? $0.element : Terminal.clean($0.element) }
            .joined(separator: "\n") + "\n"
    }
}
