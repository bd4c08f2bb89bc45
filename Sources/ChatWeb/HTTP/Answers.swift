import Chat
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// A request that is not carried out; becomes `{"type":"error","code":"…","message":"…"}`, the bus's own form.
struct WebError: Error {
    let status: HTTPResponse.Status
    let code: String
    let message: String
    var retryAfter: Duration?
    /// Which of several things the code may mean, where who asked does something else about each.
    var why: String?

    init(_ status: HTTPResponse.Status, _ code: String, _ message: String, retryAfter: Duration? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    /// The object as one line.
    var line: [UInt8] {
        struct Line: Encodable {
            var type = "error"
            var code: String
            var message: String
            var why: String?
        }
        return JSONLine.of(Line(code: code, message: message, why: why))
    }

    var response: Response {
        var response = Response.json(line, status: status)
        if let retryAfter { response.headers[.retryAfter] = String(max(1, retryAfter.components.seconds + 1)) }
        return response
    }
}

extension WebError {
    init(_ error: ChatError) {
        switch error.code {
        case .unknown: self.init(.notFound, "unknown", error.message)
        case .noSession:
            self.init(.notFound, "unknown", error.message)
            why = "session"
        case .badRequest: self.init(.badRequest, "bad-request", error.message)
        case .refused: self.init(.forbidden, "refused", error.message)
        case .busy: self.init(.tooManyRequests, "busy", error.message)
        case .stopping: self.init(.serviceUnavailable, "unavailable", error.message)
        case .failed: self.init(.internalServerError, "failed", error.message)
        }
    }

    init(_ refused: Refused) {
        switch refused {
        case .unpaired(let why):
            self.init(.unauthorized, "unpaired", "\(why.words); a new code from the machine lets it in")
            self.why = why.rawValue
        case .code:
            self.init(
                .forbidden, "code",
                "this code is wrong, spent or older than ten minutes; make another: nexusctl pair, and for a browser on the machine "
                    + "itself nexusctl pair --here")
        case .password(isMissing: true):
            self.init(.unauthorized, "password", "this machine wants its password beside the code")
        case .password(isMissing: false):
            self.init(.unauthorized, "password", "this is not the password; a code takes five wrong ones")
        case .tooMany(let wait):
            self.init(
                .tooManyRequests, "busy", "too many requests; again in \(wait.components.seconds + 1) s",
                retryAfter: wait)
        case .store(let error): self.init(error)
        }
    }
}

extension Unpaired {
    /// For people.
    fileprivate var words: String {
        switch self {
        case .noToken: "this browser is not paired"
        case .revoked: "this browser was shut out"
        case .unknown:
            "this machine does not know this browser: it was paired with another store of conversations, was away for 180 days, "
                + "or forgot what it kept of this page"
        }
    }
}

/// JSON as the chat writes it: keys sorted, one line.
enum JSONLine {
    static func of(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Texts, numbers and lists only: there is nothing that cannot be encoded.
        return (try? Array(encoder.encode(value)))
            ?? Array(#"{"type":"error","code":"failed","message":"not encoded"}"#.utf8)
    }
}

extension Response {
    /// A JSON answer that nobody keeps.
    static func json(_ bytes: [UInt8], status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
