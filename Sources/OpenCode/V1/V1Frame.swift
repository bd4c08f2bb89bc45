import FoundationEssentials

/// One frame of v1's event stream: `{"id","type","properties"}`, or the same as `payload` of `/global/event`.
/// Types and fields that are not needed are read over: there are about 90 of them, and new ones come.
enum V1Frame {
    /// From the data of one SSE frame; nil for what is no frame of v1.
    static func read(_ data: [UInt8]) -> LineFrame? {
        let decoder = JSONDecoder()
        guard let event = try? decoder.decode(Envelope.self, from: Data(data)).event else { return nil }
        return LineFrame(session: event.properties.session, content: event.content)
    }

    private struct Envelope: Decodable {
        let event: Event

        private enum CodingKeys: String, CodingKey {
            case payload
        }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            event = try fields.decodeIfPresent(Event.self, forKey: .payload) ?? Event(from: decoder)
        }
    }

    private struct Event: Decodable {
        let properties: Properties
        let content: LineFrame.Content

        private enum CodingKeys: String, CodingKey {
            case type, properties
        }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            let type = try fields.decode(String.self, forKey: .type)
            properties = try fields.decode(Properties.self, forKey: .properties)
            func decoded<Value: Decodable>(_ as: Value.Type) throws -> Value {
                try fields.decode(Value.self, forKey: .properties)
            }
            switch type {
            case "server.connected": content = .connected
            case "session.created", "session.updated":
                content = .session(parent: try decoded(V1SessionChange.self).info.parentID)
            case "message.updated": content = .facts(try decoded(V1MessageChange.self).info.facts)
            case "message.part.updated": content = .facts(try decoded(V1PartChange.self).part.facts)
            case "message.part.delta": content = .facts(try decoded(V1Delta.self).facts)
            case "message.part.removed":
                content = .facts([.blockRemoved(block: try decoded(V1PartRemoval.self).partID)])
            case "session.status": content = .facts([try decoded(V1StatusChange.self).status.fact])
            case "session.idle": content = .facts([.idle])
            case "session.error": content = .facts([.problem(try decoded(V1SessionError.self).problem)])
            case "session.compacted": content = .facts([.notice(TurnFact.compacted)])
            case "todo.updated": content = .facts([.todos(try decoded(V1Todos.self).todos.map(\.todo))])
            case "session.diff": content = .facts([.changes(try decoded(V1Diffs.self).diff.compactMap(\.change))])
            case "permission.asked": content = .facts([.permission(try decoded(V1Permission.self).ask)])
            case "question.asked": content = .facts([.question(try decoded(V1Question.self).ask)])
            case "permission.replied", "question.replied", "question.rejected":
                content = .facts([try decoded(V1Answered.self).fact(of: type)])
            case _: content = .nothing
            }
        }
    }

    /// The part of the properties that says whom a frame concerns. 1.1.x put it into `info` and `part` only.
    private struct Properties: Decodable {
        let sessionID: String?
        let info: Owner?
        let part: Owner?

        struct Owner: Decodable {
            let id: String?
            let sessionID: String?
        }

        /// `info` of the session events is the session itself.
        var session: String? { sessionID ?? part?.sessionID ?? info?.sessionID ?? info?.id }
    }
}
