import Foundation
import HTTPTypes
import Hummingbird

extension Request {
    /// The directory a request is about: query, else header, else where this process was started.
    var directory: String {
        get throws {
            guard
                let given = uri.queryParameters["directory"].map(String.init)
                    ?? HTTPField.Name("x-opencode-directory").flatMap({ headers[$0] })
            else { return FileManager.default.currentDirectoryPath }
            guard given.hasPrefix("/") else { throw APIError.invalid("directory must be absolute", kind: "Query") }
            return given
        }
    }

    /// A query field that is a number of 0 or more.
    func number(_ name: String) throws -> Int? {
        guard let text = uri.queryParameters[Substring(name)] else { return nil }
        guard let number = Int(text), number >= 0 else {
            throw APIError.invalid("\(name) must be a number of 0 or more", kind: "Query")
        }
        return number
    }

    /// The body as JSON; an empty one is `orEmpty` where that is given.
    func json<Value: Decodable>(
        _ type: Value.Type, orEmpty empty: Value? = nil, context: BasicRequestContext
    ) async throws -> Value {
        let buffer = try await body.collect(upTo: Prompt.bodyLimit)
        if buffer.readableBytes == 0, let empty { return empty }
        do {
            return try JSON.decode(type, from: Data(buffer.readableBytesView))
        } catch DecodingError.keyNotFound(let key, _) {
            throw APIError.invalid("the body has no \(key.stringValue)")
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
            let place = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw APIError.invalid("\(place.isEmpty ? "the body" : place) has the wrong type")
        } catch {
            throw APIError.invalid("the body is not JSON")
        }
    }
}

extension BasicRequestContext {
    /// The session named in the path.
    var sessionID: String {
        get throws { try parameters.require("id") }
    }
}
