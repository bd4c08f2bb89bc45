import Hummingbird

/// A refusal in the words and shapes of opencode's API.
enum APIError: Error, Sendable {
    /// 404 `{"name":"NotFoundError","data":{"message":…}}`.
    case notFound(String)
    /// 400 `{"_tag":"InvalidRequestError","message":…,"kind":…}`; the kind is Payload or Query.
    case invalid(String, kind: String = "Payload")
    /// 500 `{"name":"UnknownError","data":{"message":…}}`: the disk refused.
    case storage(String)
    /// 404 `{"_tag":…,"requestID":…,"message":…}`: nobody waits for this answer.
    case notWaiting(String, tag: String)
    /// 404: no such message of that session.
    case noMessage(String, in: String)
    /// 409 `{"_tag":"SessionBusyError","sessionID":…,"message":…}`
    case isBusy(String)
    /// As 2.x has it: `{"_tag":…,…}`.
    case tagged(HTTPResponse.Status, Shape)

    /// The status.
    var status: HTTPResponse.Status {
        switch self {
        case .notFound, .notWaiting, .noMessage: .notFound
        case .isBusy: .conflict
        case .invalid: .badRequest
        case .storage: .internalServerError
        case .tagged(let status, _): status
        }
    }

    /// The JSON body.
    var body: Body {
        switch self {
        case .notFound(let message): Body(name: "NotFoundError", data: .init(message: message))
        case .invalid(let message, let kind): Body(tag: "InvalidRequestError", message: message, kind: kind)
        case .notWaiting(let id, let tag): Body(tag: tag, message: "Request not found: \(id)", requestID: id)
        case .storage(let message): Body(name: "UnknownError", data: .init(message: message))
        case .noMessage(let id, _): Body(name: "NotFoundError", data: .init(message: "Message not found: \(id)"))
        case .isBusy(let id): Body(tag: "SessionBusyError", message: "Session is busy: \(id)", sessionID: id)
        case .tagged(_, let shape): Body(name: "UnknownError", data: .init(message: "\(shape)"))
        }
    }

    /// Fields of both shapes; the absent ones are left out.
    struct Body: Encodable {
        var tag: String?
        var message: String?
        var kind: String?
        var requestID: String?
        var sessionID: String?
        var name: String?
        var data: Data?

        struct Data: Encodable {
            var message: String
        }

        enum CodingKeys: String, CodingKey {
            case tag = "_tag"
            case message, kind, requestID, sessionID, name, data
        }
    }
}
