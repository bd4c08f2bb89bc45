import SupervisorCore
import Wire

/// `[agent]` but for its workspaces, as the JSON that agent-worker and chat-bridge get:
/// `{"permission-default":"reject","answer-timeout-milliseconds":600000,"daily-dollars":5,"daily-tokens":1000000}`;
/// the last two only where they are set.
struct AgentSettings {
    let json: String

    init(reader: SectionReader) {
        var json = JSONWriter()
        json.object {
            $0.field("permission-default", reader(AgentKeys.permissionDefault))
            $0.field("answer-timeout-milliseconds", Int64(reader(AgentKeys.answerTimeout) / .milliseconds(1)))
            if let dollars = reader(AgentKeys.dailyDollars) { $0.field("daily-dollars", Int64(dollars)) }
            if let tokens = reader(AgentKeys.dailyTokens) { $0.field("daily-tokens", Int64(tokens)) }
        }
        self.json = String(decoding: json.bytes, as: UTF8.self)
    }
}
