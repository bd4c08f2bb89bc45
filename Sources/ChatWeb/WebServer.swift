public import Chat
import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// The page and its API over HTTP, inside chat-bridge.
public final class WebServer: Sendable {
    /// Connections at once; more wait in the kernel's queue.
    static let connectionLimit = 512
    /// How often a port that is taken is tried again.
    static let retryInterval: Duration = .seconds(5)

    /// How the server is.
    public enum State: Hashable, Sendable {
        /// Not yet.
        case starting
        /// Serves on this port.
        case serving(port: Int)
        /// Does not, for this reason; tried again.
        case away(String)
    }

    private let settings: WebSettings
    private let service: ChatService
    private let door: Door
    private let page: PageFiles
    private let appliance: Appliance?
    private let connection: @Sendable () -> ConnectionGuard
    private let changed: @Sendable (State) -> Void
    private let current = Mutex(State.starting)

    /// `changed` hears of each new state.
    public convenience init(
        settings: WebSettings, service: ChatService, door: Door, page: PageFiles, appliance: Appliance?,
        changed: @escaping @Sendable (State) -> Void
    ) {
        self.init(
            settings: settings, service: service, door: door, page: page, appliance: appliance,
            connection: { ConnectionGuard() }, changed: changed)
    }

    /// The same with limits of a test's own.
    init(
        settings: WebSettings, service: ChatService, door: Door, page: PageFiles, appliance: Appliance?,
        connection: @escaping @Sendable () -> ConnectionGuard, changed: @escaping @Sendable (State) -> Void
    ) {
        self.settings = settings
        self.service = service
        self.door = door
        self.page = page
        self.appliance = appliance
        self.connection = connection
        self.changed = changed
    }

    /// How it is now.
    public var state: State { current.withLock { $0 } }

    /// Serves until its task is cancelled. A port that cannot be had keeps the conversations of nobody: it is said, and
    /// tried again.
    public func run() async {
        while !Task.isCancelled {
            do {
                try await serve()
                if !Task.isCancelled { become(.away("the server ended by itself")) }
            } catch is CancellationError {
                return
            } catch let error as IOError where error.errnoCode == EADDRINUSE {
                become(.away("\(settings.host):\(settings.port) is in use; choose another port in [chat] listen"))
            } catch {
                become(.away("\(settings.host):\(settings.port) cannot be served: \(error)"))
            }
            try? await Task.sleep(for: Self.retryInterval)
        }
    }

    private func serve() async throws {
        let names = ServedNames()
        let routes = WebRoutes(service: service, door: door, page: page, appliance: appliance, names: names)
        var logger = Logger(label: "web") { StreamLogHandler.standardError(label: $0) }
        // What it calls errors are connections that end, ours included when the server is stopped.
        logger.logLevel = .critical
        let app = Application(
            router: routes.router(),
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [self.connection()],
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 8192, maxHeaderListSize: 16_384, maxHeaderFieldCount: 64))),
            configuration: .init(
                address: .hostname(settings.host, port: settings.port),
                availableConnectionsDelegate: MaximumAvailableConnections(Self.connectionLimit)),
            onServerRunning: { [self] channel in
                let port = channel.localAddress?.port ?? settings.port
                names.serve(KnownOrigins(settings: settings, port: port))
                become(.serving(port: port))
            }, logger: logger)
        try await run(app, logger)
    }

    /// How long answers under way have to end when the server is stopped.
    private static let stopLimit: Duration = .seconds(2)

    /// Until this task is cancelled; then no connection is taken any more and those that are there end. A server that is
    /// cancelled itself would drop a connection it has accepted and not looked at yet, which NIO takes for a mistake of
    /// its user and ends the process.
    private func run(_ app: some ApplicationProtocol, _ logger: Logger) async throws {
        var configuration = ServiceGroupConfiguration(services: [.init(service: app)], logger: logger)
        configuration.maximumGracefulShutdownDuration = Self.stopLimit
        let group = ServiceGroup(configuration: configuration)
        let serving = Task { try await group.run() }
        try await withTaskCancellationHandler {
            try await serving.value
        } onCancel: {
            Task { await group.triggerGracefulShutdown() }
        }
    }

    private func become(_ state: State) {
        let isNew = current.withLock { current in
            defer { current = state }
            return current != state
        }
        if isNew { changed(state) }
    }
}

extension WebServer {
    /// Answers what control clients ask about devices: lines for a stream.
    /// - Parameter whom: who asks, for the log.
    public func answer(_ request: DeviceRequest, by whom: String) async throws -> [[UInt8]] {
        switch request {
        case .pair(let role): return [JSONLine.of(try await pairing(role, by: whom))]
        case .devices: return try await door.devices().map { JSONLine.of(DeviceLine($0, own: false)) }
        case .revoke(let id):
            try await door.revoke(id, by: whom)
            return []
        case .own, .leave: throw ChatError(.badRequest, "only a device has a self")
        }
    }

    /// How long a question about devices waits for a server that is just starting.
    private static let startLimit: Duration = .seconds(5)

    private func servedPort() async throws -> Int {
        let limit = ContinuousClock.now + Self.startLimit
        while true {
            switch state {
            case .serving(let port): return port
            case .away(let why): throw ChatError(.failed, "the page is not served: \(why)")
            case .starting where .now >= limit: throw ChatError(.failed, "the page is not served yet; ask again")
            case .starting: try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    private func pairing(_ role: DeviceRole, by whom: String) async throws -> PairingLine {
        let port = try await servedPort()
        let code = door.issue(role, by: whom)
        let base = settings.publicURL ?? "http://localhost:\(port)"
        let url = "\(base)/#pair=\(code)"
        let isReachable = settings.publicURL != nil
        return PairingLine(
            code: PairingCodes.shown(code), role: role, good_for: PairingCodes.lifetime.components.seconds, url: url,
            reachable: isReachable,
            remedy: isReachable
                ? nil
                : "only a browser on this machine can open it. For a phone bring this port behind TLS (a tunnel, a proxy) and "
                    + "name its address in [chat] url; or from another computer: ssh -L \(port):localhost:\(port) HOST",
            qr: QRCode.rows(of: url))
    }
}
