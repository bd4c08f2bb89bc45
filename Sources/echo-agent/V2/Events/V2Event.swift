import Foundation

/// One event of 2.x before it is a frame.
struct V2Event {
    var type: String
    var data: Shape
    /// The session whose log it would stand in; nil for those that are only told.
    var log: String?

    /// Kept in the session's log.
    static func kept(_ type: String, in session: String, _ data: Shape) -> V2Event {
        V2Event(type: type, data: data, log: session)
    }

    /// Only told.
    static func told(_ type: String, _ data: Shape) -> V2Event { V2Event(type: type, data: data, log: nil) }

    /// Of the form of what is kept; a few are in their second.
    private var version: Double {
        switch type {
        case "session.tool.success", "session.tool.failed", "session.deleted": 2
        case _: 1
        }
    }

    /// The frame: `data: {"id","created","type","data","location"?,"durable"?}` and an empty line.
    func bytes(directory: String?, number: Int?) -> Data {
        let frame: Shape = [
            "id": .text(Identifier.event()),
            "created": type == "server.connected" ? nil : .time(WallClock.milliseconds),
            "type": .text(type),
            "data": data,
            "location": directory.map { ["directory": .text($0)] },
            "durable": log.flatMap { log in
                number.map { ["aggregateID": .text(log), "seq": .number(Double($0)), "version": .number(version)] }
            },
        ]
        return Data("data: ".utf8) + ((try? JSON.encode(frame)) ?? Data("{}".utf8)) + Data("\n\n".utf8)
    }

    /// The first frame of a stream.
    static let connected = V2Event.told("server.connected", [:]).bytes(directory: nil, number: nil)
    /// The comment by which a stream shows that it lives.
    static let heartbeat = Data(": heartbeat\n\n".utf8)
}

/// An event of the world that 2.x tells in its own way, perhaps not at all.
protocol V2Visible: Encodable {
    /// What 2.x says of it; `type` is its name in 1.x.
    func seen(as type: String, by view: inout V2View) -> [V2Event]
}
