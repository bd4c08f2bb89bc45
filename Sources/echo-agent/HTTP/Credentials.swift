import Foundation
import HTTPTypes
import Hummingbird

/// Who may ask: HTTP Basic, or the query field `auth_token` with the same base64.
struct Credentials: Sendable {
    private let token: [UInt8]

    /// The one user there is.
    init(user: String, password: String) {
        token = Array(Data("\(user):\(password)".utf8).base64EncodedString().utf8)
    }

    /// Compared without leaving early, so that the time tells nothing about the password.
    func admit(_ request: Request) -> Bool {
        guard let given = Self.token(in: request).map({ Array($0.utf8) }), given.count == token.count else {
            return false
        }
        return zip(given, token).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func token(in request: Request) -> String? {
        if let token = request.uri.queryParameters["auth_token"] { return String(token) }
        guard let header = request.headers[.authorization], header.lowercased().hasPrefix("basic ") else { return nil }
        return String(header.dropFirst(6))
    }
}

/// Refuses everything without the password: 401, with an empty body in 1.x, with a word in 2.x, as opencode does.
struct Gate: RouterMiddleware {
    typealias Context = BasicRequestContext

    let credentials: Credentials
    let line: Line

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard credentials.admit(request) else {
            let headers: HTTPFields = [.wwwAuthenticate: "Basic realm=\"Secure Area\""]
            guard line == .v2 else { return Response(status: .unauthorized, headers: headers) }
            let body: Shape = ["_tag": "UnauthorizedError", "message": "Authentication required"]
            return try .json(body, status: .unauthorized, headers: headers)
        }
        return try await next(request, context)
    }
}

/// Turns refusals into opencode's JSON; what no route knows is a 404 in JSON too.
struct Refusals: RouterMiddleware {
    typealias Context = BasicRequestContext

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as APIError {
            return try .json(error.body, status: error.status)
        } catch let error as HTTPError where error.status == .notFound {
            return try .json(APIError.notFound("the echo agent has no \(request.uri.path)").body, status: .notFound)
        }
    }
}

extension Response {
    /// A JSON answer.
    static func json<Value: Encodable>(
        _ value: Value, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) throws -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(
            status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: try JSON.encode(value))))
    }
}
