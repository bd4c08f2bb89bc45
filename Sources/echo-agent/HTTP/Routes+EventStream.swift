import Foundation
import HTTPTypes
import Hummingbird

extension Routes {
    /// An endless answer of `text/event-stream`, its first frame `server.connected`.
    func eventStream(_ scope: EventBroker.Scope) throws -> Response {
        guard let events = agent.broker.subscribe(scope) else {
            throw APIError.storage("\(EventBroker.streamLimit) event streams are open already")
        }
        var headers: HTTPFields = [.contentType: "text/event-stream", .cacheControl: "no-cache, no-transform"]
        if let name = HTTPField.Name("X-Accel-Buffering") { headers[name] = "no" }
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                for await frame in events { try await writer.write(ByteBuffer(bytes: frame)) }
                // The broker gave this reader up: the connection ends without the last chunk, as a broken one does.
                throw SlowReader()
            })
    }
}

/// Ends the connection of a stream that did not take its events.
struct SlowReader: Error {}
