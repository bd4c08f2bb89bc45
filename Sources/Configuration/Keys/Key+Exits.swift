import Plan
import SupervisorCore

extension Key where Value == Set<ExitPattern> {
    /// Exit codes and names of signals.
    static func exits(_ name: String, _ initial: Set<ExitPattern>, _ summary: String) -> Key {
        let shown = "[" + initial.map(ExitText.show).sorted().joined(separator: ", ") + "]"
        return Key(
            name, type: "array of exit codes and signals",
            shape: .list(of: .any([.integer(0...255), .form(.anySignal)])), initial: initial, shown: shown,
            range: ExitText.range,
            summary
        ) { node throws(Mismatch) in
            try Set(node.each(of: "exit codes and signals", ExitText.read))
        }
    }
}

/// `3` or `"SIGTERM"`: a way to end, as `exits` says it.
enum ExitText {
    static let range = "0 to 255, \"SIGTERM\" or \"TERM\", …"

    static func read(_ node: Node) throws(Mismatch) -> ExitPattern {
        switch node.value {
        case .integer(let number):
            guard let code = UInt8(exactly: number) else { throw .range("0 to 255", found: "\(number)", node) }
            return .code(code)
        case .string(let text):
            if let signal = SignalName.parseAny(text) { return .signal(signal) }
            let hint = Nearest.hint(for: text, among: SignalName.allNames)
            throw Mismatch(
                node.position, "must hold exit codes and signals such as \"SIGTERM\", found \"\(text)\"\(hint)")
        case .float, .boolean, .time, .array, .table: throw .kind("an exit code or the name of a signal", node)
        }
    }

    static func show(_ pattern: ExitPattern) -> String {
        switch pattern {
        case .code(let code): "\(code)"
        case .signal(let signal): "\"\(SignalName.show(signal))\""
        }
    }

    /// The same in a sentence.
    static func words(_ pattern: ExitPattern) -> String {
        switch pattern {
        case .code(let code): "exit code \(code)"
        case .signal(let signal): SignalName.show(signal)
        }
    }
}
