/// One call of opencode's API, without where the server is.
struct HTTPCall: Sendable {
    var method: Method
    /// Starts with a slash; percent-encoded where it holds what came from elsewhere.
    var path: String
    /// Values are encoded, names are not.
    var query: [(name: String, value: String)] = []
    /// JSON.
    var body: [UInt8]?
    /// From sending to the last byte; nil for a stream, which has none.
    var limit: Duration?
    /// Bytes of the answer; more ends the call.
    var answerBytes = Limits.answerBytes
    /// Ends the call when no byte comes for so long.
    var silence: Duration?

    /// The methods in use.
    enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    static func get(_ path: String, _ query: [(String, String)] = [], limit: Duration = Limits.callTime) -> HTTPCall {
        HTTPCall(method: .get, path: path, query: query.map { (name: $0.0, value: $0.1) }, limit: limit)
    }

    static func post(_ path: String, _ query: [(String, String)] = [], body: [UInt8]? = nil) -> HTTPCall {
        HTTPCall(
            method: .post, path: path, query: query.map { (name: $0.0, value: $0.1) }, body: body,
            limit: Limits.callTime)
    }

    static func patch(_ path: String, _ query: [(String, String)] = [], body: [UInt8]) -> HTTPCall {
        HTTPCall(
            method: .patch, path: path, query: query.map { (name: $0.0, value: $0.1) }, body: body,
            limit: Limits.callTime)
    }

    static func delete(_ path: String, _ query: [(String, String)] = []) -> HTTPCall {
        HTTPCall(
            method: .delete, path: path, query: query.map { (name: $0.0, value: $0.1) }, limit: Limits.callTime)
    }

    /// Path and query as they go out.
    var target: String {
        guard !query.isEmpty else { return path }
        return path + "?" + query.map { "\($0.name)=\(Self.encoded($0.value))" }.joined(separator: "&")
    }

    /// RFC 3986 section 2: everything but the unreserved characters as %XX.
    static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return text.utf8.reduce(into: "") { result, byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(UnicodeScalar(byte))
            case _:
                result.append("%")
                result.append(digits[Int(byte >> 4)])
                result.append(digits[Int(byte & 15)])
            }
        }
    }
}

/// What came back before the body.
struct HTTPHead: Hashable, Sendable {
    /// 200 and so on.
    var status = 0
    /// Lower-case names; the last of equal ones counts.
    var fields: [String: String] = [:]

    /// The media type without parameters, lower-case.
    var contentType: String {
        let type = fields["content-type", default: ""].prefix { $0 != ";" }
        return type.lowercased().filter { !$0.isWhitespace }
    }

    /// True for JSON; what opencode does not know it answers with its web page and 200.
    var isJSON: Bool { contentType == "application/json" }
}

/// A whole answer.
struct HTTPAnswer: Sendable {
    var head: HTTPHead
    var body: [UInt8]
}

/// Why there is no answer.
enum HTTPFailure: Error, Hashable, Sendable {
    /// Nothing listens there; the call was certainly not sent.
    case refused
    /// The other side closed the connection before the answer was whole; the call may have had its effect.
    case closed
    /// The connection failed in another way; the call may have had its effect. The words are libcurl's.
    case broken(String)
    /// No answer within its time, or silence in a stream.
    case timedOut
    /// The answer is longer than it may be.
    case tooLong
    /// Whoever has the port is not opencode: nothing was sent. Nil: the kernel does not say who it is.
    case foreignListener(port: UInt16, uid: UInt32?, wanted: UInt32)
    /// This side called it off.
    case cancelled

    /// True for a stranger on opencode's port.
    var isForeign: Bool {
        if case .foreignListener = self { true } else { false }
    }

    /// For people.
    var words: String {
        switch self {
        case .refused: "nothing listens on its port"
        case .closed: "it closed the connection"
        case .broken(let why): "the connection to it failed (\(why))"
        case .timedOut: "it did not answer in time"
        case .tooLong: "its answer is longer than \(Limits.answerBytes >> 20) MiB"
        case .foreignListener(let port, let uid, let wanted):
            "foreign listener: port \(port) belongs to \(uid.map { "uid \($0)" } ?? "nobody knows whom"), not to opencode's "
                + "uid \(wanted); the password was not sent. Who it is: ss -ltnp 'sport = :\(port)'"
        case .cancelled: "the call was called off"
        }
    }
}
