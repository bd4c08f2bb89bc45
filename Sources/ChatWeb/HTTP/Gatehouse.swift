import Chat
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1

/// Stands before every route: names, origins, headers of every answer, errors in words.
struct Gatehouse: RouterMiddleware {
    typealias Context = WebContext

    let names: KnownNames
    /// Of an error that nobody foresaw: a store that cannot be written.
    let words: @Sendable (any Error) -> ChatError

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            try check(request, context.connection)
            response = try await next(request, context)
        } catch let error as WebError {
            response = error.response
            if error.status == .methodNotAllowed { response.headers[.allow] = "GET, HEAD, POST" }
        } catch let error as Refused {
            response = WebError(error).response
        } catch let error as ChatError {
            response = WebError(error).response
        } catch let error as HTTPError where error.status == .notFound {
            response = WebError(.notFound, "unknown", "there is nothing here").response
        } catch  where error is NIOTooManyBytesError || (error as? HTTPError)?.status == .contentTooLarge {
            response =
                WebError(.contentTooLarge, "too-large", "a request holds at most \(Body.limitBytes) bytes").response
            response.headers[.connection] = "close"
        } catch let error as HTTPParserError {
            throw error
        } catch {
            response = WebError(words(error)).response
        }
        // Also what is refused: its body would be taken for the beginning of the next answer.
        if request.method == .head { response = response.createHeadResponse() }
        // An attachment comes with a stricter policy of its own.
        for (name, value) in Self.headers where response.headers[name] == nil { response.headers[name] = value }
        return response
    }

    private func check(_ request: Request, _ connection: Connection) throws(WebError) {
        // Whoever comes under a name that is not ours was led here by somebody else's DNS.
        guard let host = request.head.authority?.lowercased(),
            let origins = names.origins(of: host, by: connection)
        else {
            throw WebError(
                .misdirectedRequest, "refused",
                "this server is not known by that name; name it in [chat] url of Supervisor.toml")
        }
        if connection.entrance == .tunnel, Forwarding(request.headers).isPlain {
            throw WebError(.forbidden, "refused", "this came without TLS to the tunnel; use https://\(host)")
        }
        switch request.method {
        case .get, .head: return
        case .post: try checkOrigin(request, origins)
        case _: throw WebError(.methodNotAllowed, "bad-request", "only GET, HEAD and POST are understood here")
        }
    }

    /// A page of another origin cannot set the header without being asked first, and cannot lie about `Origin`.
    private func checkOrigin(_ request: Request, _ origins: [String]) throws(WebError) {
        guard request.headers[.nexus] != nil, let origin = request.headers[.origin],
            origins.contains(origin.lowercased())
        else {
            throw WebError(.forbidden, "refused", "requests come from the page itself only (Origin, X-Nexus)")
        }
        let type = request.headers[.contentType]?.lowercased().prefix { $0 != ";" && $0 != " " }
        guard type == "application/json" else {
            throw WebError(.unsupportedMediaType, "bad-request", "the body is application/json")
        }
        guard request.headers[values: .contentEncoding].allSatisfy({ $0.lowercased() == "identity" }) else {
            throw WebError(.unsupportedMediaType, "bad-request", "the body is not compressed (Content-Encoding)")
        }
    }

    private static let headers: [(HTTPField.Name, String)] = [
        (
            .contentSecurityPolicy,
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
                + "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
                + "require-trusted-types-for 'script'; trusted-types nexus"
        ),
        (.xContentTypeOptions, "nosniff"),
        (.referrerPolicy, "no-referrer"),
        (.crossOriginOpenerPolicy, "same-origin"),
        (.crossOriginResourcePolicy, "same-origin"),
        (.permissionsPolicy, "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    ]
}

extension HTTPField.Name {
    /// What only the page's own script sets: the key that it keeps (`Pass`), or 1.
    static let nexus = HTTPField.Name("X-Nexus").unsafelyNamed
    static let referrerPolicy = HTTPField.Name("Referrer-Policy").unsafelyNamed
    static let crossOriginOpenerPolicy = HTTPField.Name("Cross-Origin-Opener-Policy").unsafelyNamed
    /// Asks proxies of nginx's kind to hold nothing back.
    static let accelBuffering = HTTPField.Name("X-Accel-Buffering").unsafelyNamed
    static let permissionsPolicy = HTTPField.Name("Permissions-Policy").unsafelyNamed
}

extension HTTPField.Name? {
    /// Of a literal: letters and hyphens are always a name.
    var unsafelyNamed: HTTPField.Name {
        guard let self else { preconditionFailure("a header's name was misspelt in the source") }
        return self
    }
}

/// Bodies of requests.
enum Body {
    /// A message's JSON has at most 60,000 bytes (`Submission.textLimit`); the rest surrounds it.
    static let limitBytes = 65_536

    /// The whole body; an error when it is too long, or has a text in it that is none.
    static func of(_ request: Request) async throws -> [UInt8] {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limitBytes {
            throw HTTPError(.contentTooLarge)
        }
        var request = request
        let body = Array(buffer: try await request.collectBody(upTo: limitBytes))
        if let why = HalfCharacter.objection(to: body) { throw WebError(.badRequest, "bad-request", why) }
        return body
    }
}
