import HTTPTypes
import Hummingbird

/// Turns refusals into the JSON of 2.x; what no route knows is a 404 in JSON too.
struct V2Refusals: RouterMiddleware {
    typealias Context = BasicRequestContext

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as APIError {
            return try .json(Self.body(error, request.uri.path), status: error.status)
        } catch let error as HTTPError where error.status == .notFound {
            return try .json(Self.tag("NotFoundError", "the echo agent has no \(request.uri.path)"), status: .notFound)
        }
    }

    private static func body(_ error: APIError, _ path: String) -> Shape {
        switch error {
        case .tagged(_, let shape): shape
        case .notFound(let message):
            [
                "_tag": "SessionNotFoundError",
                "sessionID": .text(path.split(separator: "/").dropFirst(2).first.map(String.init) ?? ""),
                "message": .text(message),
            ]
        case .invalid(let message, let kind):
            ["_tag": "InvalidRequestError", "message": .text(message), "kind": .text(kind)]
        case .storage(let message): tag("UnknownError", message)
        case .noMessage(let id, let session):
            [
                "_tag": "MessageNotFoundError", "sessionID": .text(session), "messageID": .text(id),
                "message": .text("Message not found: \(id)"),
            ]
        case .isBusy(let id):
            ["_tag": "SessionBusyError", "sessionID": .text(id), "message": .text("Session is busy: \(id)")]
        case .notWaiting(let id, "PermissionNotFoundError"):
            [
                "_tag": "PermissionNotFoundError", "requestID": .text(id),
                "message": .text("Permission request not found: \(id)"),
            ]
        case .notWaiting(let id, _):
            ["_tag": "FormNotFoundError", "id": .text(id), "message": .text("Form not found: \(id)")]
        }
    }

    private static func tag(_ tag: String, _ message: String) -> Shape {
        ["_tag": .text(tag), "message": .text(message)]
    }
}

extension APIError {
    /// 400: the form does not take this.
    static func badAnswer(_ form: String, _ message: String) -> APIError {
        .tagged(
            .badRequest, ["_tag": "FormInvalidAnswerError", "id": .text(form), "message": .text(message)])
    }

    /// 409: the form was answered or put aside.
    static func settled(_ form: String) -> APIError {
        .tagged(
            .conflict,
            [
                "_tag": "FormAlreadySettledError", "id": .text(form),
                "message": .text("Form already settled: \(form)"),
            ])
    }

    /// 409: the id is taken.
    static func conflict(_ message: String) -> APIError {
        .tagged(.conflict, ["_tag": "ConflictError", "message": .text(message)])
    }

    /// 400: no such place in the list.
    static func cursor(_ cursor: String) -> APIError {
        .tagged(.badRequest, ["_tag": "InvalidCursorError", "message": .text("Invalid cursor: \(cursor)")])
    }
}
