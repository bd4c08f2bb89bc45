import SupervisorCore
import Wire

/// `[agent]` but for its workspaces, as the JSON that agent-worker gets:
/// `{"permission-default":"reject","answer-timeout-milliseconds":600000}`.
struct AgentSettings {
    let json: String

    init(reader: SectionReader) {
        var json = JSONWriter()
        json.object {
            $0.field("permission-default", reader(AgentKeys.permissionDefault))
            $0.field("answer-timeout-milliseconds", Int64(reader(AgentKeys.answerTimeout) / .milliseconds(1)))
        }
        self.json = String(decoding: json.bytes, as: UTF8.self)
    }
}
