import Foundation

extension Box {
    /// The repository's own Supervisor.toml with `stable-after` low, as the work order has it for tests; echo-agent speaks for
    /// that line of opencode.
    static func defaultTree(line: String = "v1", edited: (String) -> String = { $0 }) throws -> Box {
        var toml = try String(contentsOfFile: Programs.repository + "/Supervisor.toml", encoding: .utf8)
        toml = toml.replacingOccurrences(
            of: "\nfallback = [\"echo-agent\", \"serve\",",
            with: "\nfallback = [\"echo-agent\", \"serve\", \"--line\", \"\(line)\",")
        for name in ["opencode", "agent-worker", "tunnel-worker", "chat-bridge"] {
            toml = toml.replacingOccurrences(
                of: "\n[child.\(name)]\n",
                with: "\n[child.\(name)]\ndelay = { first = \"20ms\", cap = \"200ms\", stable-after = \"50ms\" }\n")
        }
        return try Box(edited(toml))
    }
}
