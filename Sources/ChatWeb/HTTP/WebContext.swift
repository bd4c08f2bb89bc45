import Hummingbird
import Logging
import NIOCore

/// What is known of a request beside its own words.
struct WebContext: RequestContext {
    struct Source: RequestContextSource {
        let logger: Logger
        let connection: Connection
    }

    var coreContext: CoreRequestContextStorage
    /// The connection it came by.
    let connection: Connection

    init(source: Source) {
        coreContext = .init(source: source)
        connection = source.connection
    }

    /// Where whoever asks comes from, without a port. Of what a request claims about it only cloudflared's word counts,
    /// and only on its own socket.
    var address: String { connection.address }
}
