import Foundation

extension Box {
    /// The repository's own Supervisor.toml with `stable-after` low, as the work order has it for tests.
    static func defaultTree() throws -> Box {
        var toml = try String(contentsOfFile: Programs.repository + "/Supervisor.toml", encoding: .utf8)
        for name in ["opencode", "agent-worker", "tunnel-worker", "chat-bridge"] {
            toml = toml.replacingOccurrences(
                of: "\n[child.\(name)]\n",
                with: "\n[child.\(name)]\ndelay = { first = \"20ms\", cap = \"200ms\", stable-after = \"50ms\" }\n")
        }
        return try Box(toml)
    }
}
