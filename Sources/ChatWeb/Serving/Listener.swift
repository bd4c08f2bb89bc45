import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOExtras
import NIOHTTPTypesHTTP1
import NIOPosix
import NIOSSL

/// Takes connections on one socket and has each answered.
struct Listener: Sendable {
    /// Where it listens.
    enum Place: Sendable {
        case address(host: String, port: Int)
        /// A socket that listens already and stays somebody else's.
        case lent(Int32)
    }

    /// Answers one request.
    typealias Answerer = @Sendable (Request, consuming ResponseWriter, Connection) async throws -> Void

    /// How long answers under way have to end when the server is stopped.
    private static let stopLimit: Duration = .seconds(2)
    /// listen(2)'s backlog.
    static let backlog: Int32 = 512

    let place: Place
    let entrance: Entrance
    /// For TLS.
    let certificate: PageCertificate?
    let names: KnownNames
    let connections: Connections
    let limits: ConnectionLimits
    let logger: Logger
    let answerer: Answerer

    private struct Taken: Sendable {
        let http: HTTP1Channel
        let value: HTTP1Channel.Value
    }

    /// Until this task is cancelled; then no connection is taken any more and those that are there end. Cancelled itself,
    /// the loop that takes them would drop a connection which was accepted and not looked at yet, and NIO takes that for
    /// a mistake of its user and ends the process.
    func run(serving: @Sendable (any Channel) -> Void) async throws {
        let quiescing = ServerQuiescingHelper(group: MultiThreadedEventLoopGroup.singleton)
        let server = try await bind(quiescing)
        serving(server.channel)
        let loop = Task { await take(from: server) }
        await withTaskCancellationHandler {
            await loop.value
        } onCancel: {
            Task { await stop(loop, quiescing, server.channel.eventLoop) }
        }
    }

    private func stop(_ loop: Task<Void, Never>, _ quiescing: ServerQuiescingHelper, _ eventLoop: any EventLoop) async {
        let done = eventLoop.makePromise(of: Void.self)
        quiescing.initiateShutdown(promise: done)
        let limit = Task {
            try await Task.sleep(for: Self.stopLimit)
            connections.closeAll()
            loop.cancel()
        }
        try? await done.futureResult.get()
        limit.cancel()
        loop.cancel()
    }

    private func take(from server: NIOAsyncChannel<Taken, Never>) async {
        await withDiscardingTaskGroup { group in
            do {
                try await server.executeThenClose { inbound in
                    for try await taken in inbound {
                        group.addTask { await taken.http.handle(value: taken.value, logger: logger) }
                    }
                }
            } catch {
                logger.error("taking connections: \(error)")
            }
        }
    }

    private func bind(_ quiescing: ServerQuiescingHelper) async throws -> NIOAsyncChannel<Taken, Never> {
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(quiescing.makeServerChannelHandler(channel: channel))
                }
            }
        switch place {
        case .address(let host, let port):
            return try await bootstrap.bind(host: host, port: port) { prepare($0) }
        case .lent(let number):
            // NIO closes what it is given.
            let own = fcntl(number, F_DUPFD_CLOEXEC, 5)
            guard own >= 0 else { throw IOError(errnoCode: errno, reason: "a socket of that number was not given") }
            return try await bootstrap.bind(own) { prepare($0) }
        }
    }

    private func prepare(_ channel: any Channel) -> EventLoopFuture<Taken> {
        let connection = connections.enter(channel, by: entrance)
        let http = HTTP1Channel(
            responder: { [answerer] request, writer, _ in try await answerer(request, writer, connection) },
            configuration: .init(
                additionalChannelHandlers: [ConnectionGuard(limits: limits, connection: connection)],
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 8192, maxHeaderListSize: 16_384, maxHeaderFieldCount: 64)))
        return channel.eventLoop.makeCompletedFuture { try secure(channel, connection) }
            .flatMapThrowing { try channel.pipeline.syncOperations.addHandler(FramingGuard()) }
            .flatMap { http.setup(channel: channel, logger: logger) }
            .flatMapThrowing { value in
                let pipeline = channel.pipeline.syncOperations
                let codec = try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)
                let framing = try pipeline.handler(type: FramingGuard.self)
                try pipeline.addHandlers([framing.counter, HeadGuard()], position: .before(codec))
                return Taken(http: http, value: value)
            }
    }

    /// Each connection gets the certificate of its time.
    private func secure(_ channel: any Channel, _ connection: Connection) throws {
        guard let context = certificate?.context else { return }
        let plain = PlainTalk { [names] host in
            let own = "https://\(Address(connection.local)?.inURL ?? "localhost"):\(connection.port)"
            return names.secureURL(for: host, by: connection) ?? own
        }
        try channel.pipeline.syncOperations.addHandlers([plain, NIOSSLServerHandler(context: context)])
    }
}
