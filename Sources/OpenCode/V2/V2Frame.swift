import FoundationEssentials

/// One frame of 2.x's event stream: `{"id","created","type","data":{…},"location"?,"durable"?}`. Types and fields that are
/// not needed are read over: there are about 100 of them, and new ones come.
struct V2Frame: Decodable {
    private let owner: Owner
    private let content: LineFrame.Content

    /// From the data of one SSE frame; nil for what is no frame of 2.x.
    static func read(_ data: [UInt8]) -> LineFrame? {
        guard let frame = try? JSONDecoder().decode(V2Frame.self, from: Data(data)) else { return nil }
        return LineFrame(session: frame.owner.session, content: frame.content)
    }

    private enum CodingKeys: String, CodingKey {
        case type, data
    }

    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        owner = (try? fields.decode(Owner.self, forKey: .data)) ?? Owner(sessionID: nil, form: nil)
        content = try Self.content(try fields.decode(String.self, forKey: .type), fields)
    }

    /// The part of the data that says whom a frame concerns.
    private struct Owner: Decodable {
        let sessionID: String?
        let form: Form?

        struct Form: Decodable {
            let sessionID: String
        }

        var session: String? { sessionID ?? form?.sessionID }
    }

    private static func content(
        _ type: String, _ fields: KeyedDecodingContainer<CodingKeys>
    ) throws -> LineFrame.Content {
        func data<Value: Decodable>(_ as: Value.Type) throws -> Value { try fields.decode(Value.self, forKey: .data) }
        switch type {
        case "server.connected": return .connected
        case "session.created": return .session(parent: try data(V2SessionCreated.self).parentID)
        case "session.inbox.delivered":
            return .facts([.message(MessageFact(id: try data(V2Inbox.self).inboxID, author: .user, end: nil))])
        case "session.inbox.cancelled": return .facts([.withdrawn(prompt: try data(V2Inbox.self).inboxID)])
        case "session.execution.started": return .facts([.busy])
        case "session.execution.succeeded", "session.idle": return .facts([.idle])
        case "session.execution.failed": return .facts([.problem(try data(V2Failed.self).error.problem)])
        case "session.execution.interrupted": return .facts([.problem(try data(V2Interrupted.self).problem)])
        case "session.status": return .facts([try data(V2StatusChange.self).status.fact])
        case "session.retry.scheduled": return .facts([try data(V2Retry.self).fact])
        case "session.compaction.ended": return .facts([.notice(TurnFact.compacted)])
        case "permission.asked": return .facts([.permission(try data(V2Permission.self).ask)])
        case "permission.replied": return .facts([try data(V2PermissionReplied.self).fact])
        case "form.created": return .facts([.question(try data(V2FormCreated.self).form.ask)])
        case "form.replied": return .facts([.answered(id: try data(V2FormSettled.self).id, .answered)])
        case "form.cancelled": return .facts([.answered(id: try data(V2FormSettled.self).id, .dismissed)])
        case _: return try answer(type, fields)
        }
    }

    /// What happens inside an answer.
    private static func answer(
        _ type: String, _ fields: KeyedDecodingContainer<CodingKeys>
    ) throws -> LineFrame.Content {
        func data<Value: Decodable>(_ as: Value.Type) throws -> Value { try fields.decode(Value.self, forKey: .data) }
        switch type {
        case "session.step.started", "session.step.ended", "session.step.failed":
            return .facts(try data(V2Step.self).facts)
        case "session.message.content.updated": return .facts(try data(V2ContentUpdated.self).facts)
        case "session.text.started": return .facts([try data(V2BlockChange.self).begun(.text)])
        case "session.text.delta": return .facts([try data(V2BlockChange.self).grown(.text)])
        case "session.text.ended": return .facts([try data(V2BlockChange.self).ended(.text)])
        case "session.reasoning.started": return .facts([try data(V2BlockChange.self).begun(.reasoning)])
        case "session.reasoning.delta": return .facts([try data(V2BlockChange.self).grown(.reasoning)])
        case "session.reasoning.ended": return .facts([try data(V2BlockChange.self).ended(.reasoning)])
        case "session.tool.input.started": return .facts([try data(V2ToolBegun.self).fact])
        case "session.tool.called": return .facts([try data(V2ToolChange.self).fact(.running)])
        case "session.tool.progress": return .facts([try data(V2ToolChange.self).fact(nil)])
        case "session.tool.success": return .facts([try data(V2ToolChange.self).fact(.completed)])
        case "session.tool.failed": return .facts([try data(V2ToolChange.self).fact(.failed)])
        case _: return .nothing
        }
    }
}
