public import Chat
import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import Glibc
import NIOCore
import NIOHTTP1
import QR
import Synchronization

/// The page and its API over HTTP, inside chat-bridge.
public final class WebServer: Sendable {
    /// How often a port that is taken is tried again.
    static let retryInterval: Duration = .seconds(5)

    /// How the server is.
    public enum State: Hashable, Sendable {
        /// Not yet.
        case starting
        /// Serves on this port; browsers find it there, in words.
        case serving(port: Int, place: String)
        /// Does not, for this reason; tried again.
        case away(String)
    }

    private let settings: WebSettings
    private let service: ChatService
    private let door: Door
    private let page: PageFiles
    private let mark = PageMark()
    private let appliance: Appliance?
    private let push: PushDesk?
    private let tunnel: TunnelFront?
    /// cloudflared's own socket, when there is one.
    private let tunnelSocket: Int32?
    private let certificate: PageCertificate?
    private let limits: ConnectionLimits
    private let changed: @Sendable (State) -> Void
    private let current = Mutex(State.starting)
    private let reach: Mutex<PageReach>
    let connections = Connections()

    /// `changed` hears of each new state.
    public convenience init(
        settings: WebSettings, service: ChatService, door: Door, page: PageFiles, appliance: Appliance?,
        push: PushDesk?, tunnel: TunnelFront? = nil, tunnelSocket: Int32?, certificate: PageCertificate? = nil,
        changed: @escaping @Sendable (State) -> Void
    ) {
        self.init(
            settings: settings, service: service, door: door, page: page, appliance: appliance, push: push,
            tunnel: tunnel,
            tunnelSocket: tunnelSocket, certificate: certificate, limits: ConnectionLimits(), changed: changed)
    }

    /// The same with limits of a test's own.
    init(
        settings: WebSettings, service: ChatService, door: Door, page: PageFiles, appliance: Appliance?,
        push: PushDesk?, tunnel: TunnelFront? = nil, tunnelSocket: Int32?, certificate: PageCertificate? = nil,
        limits: ConnectionLimits,
        changed: @escaping @Sendable (State) -> Void
    ) {
        self.settings = settings
        self.service = service
        self.door = door
        self.page = page
        self.appliance = appliance
        self.push = push
        self.tunnel = tunnel
        self.tunnelSocket = tunnelSocket
        self.certificate = certificate
        self.limits = limits
        self.changed = changed
        reach = Mutex(PageReach(settings: settings, tunnel: tunnel == nil ? .none : .unknown))
    }

    /// How the tunnel is now, whenever that may be something else; nil: nobody here looks after one.
    public func hear(of tunnel: TunnelSight?) {
        reach.withLock { $0.tunnel = tunnel.map { .told($0) } ?? .none }
        guard case .serving(let port, _) = state else { return }
        become(serving(port))
    }

    /// How it is now.
    public var state: State { current.withLock { $0 } }

    /// Serves until its task is cancelled. A port or a certificate that cannot be had keeps the conversations of nobody: it is said, and
    /// tried again. What comes through the tunnel is served meanwhile.
    public func run() async {
        await withDiscardingTaskGroup { group in
            if let tunnelSocket { group.addTask { await self.serveTunnel(tunnelSocket) } }
            group.addTask { await self.servePort() }
            if let certificate { group.addTask { await Self.lookAfter(certificate) } }
        }
    }

    /// How often it is looked whether the certificate is to be made or read anew.
    private static let certificateInterval: Duration = .seconds(3600)

    private static func lookAfter(_ certificate: PageCertificate) async {
        // An old one stays in use, with words, when there is no new one.
        while (try? await Task.sleep(for: certificateInterval)) != nil { try? certificate.look(at: time(nil)) }
    }

    /// This machine's names now: its addresses come and go.
    private var names: MachineNames { MachineNames(listening: Address(settings.host) ?? .loopback) }

    private func servePort() async {
        while !Task.isCancelled {
            do {
                // Files that were not there may have come since.
                if let certificate, certificate.context == nil { try certificate.look(at: time(nil)) }
                try await serveAddress()
                if !Task.isCancelled { become(.away("the server ended by itself")) }
            } catch let failure as PageCertificate.Failure {
                become(.away("its certificate: \(failure)"))
            } catch let taken as LoopbackTwin.Taken {
                become(.away("\(taken)"))
            } catch let error as IOError where error.errnoCode == EADDRINUSE {
                become(.away("\(settings.host):\(settings.port) is in use; choose another port in [chat] listen"))
            } catch {
                become(.away("\(settings.host):\(settings.port) cannot be served: \(error)"))
            }
            try? await Task.sleep(for: Self.retryInterval)
        }
    }

    /// All that `localhost` may mean here, or nothing.
    private func serveAddress() async throws {
        let entrance: Entrance = certificate == nil ? .local : .network
        let twin = try Address(settings.host).flatMap {
            try LoopbackTwin.listen(beside: $0, port: settings.port, backlog: Listener.backlog)
        }
        defer { if let twin { close(twin) } }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                try await listener(.address(host: settings.host, port: settings.port), entrance).run { channel in
                    become(serving(channel.localAddress?.port ?? settings.port))
                }
            }
            if let twin { group.addTask { try await self.listener(.lent(twin), entrance).run { _ in } } }
            try await group.next()
            group.cancelAll()
        }
    }

    private func serveTunnel(_ socket: Int32) async {
        do {
            try await listener(.lent(socket), .tunnel).run { _ in }
        } catch {
            door.say("the tunnel's socket cannot be served: \(error)")
        }
    }

    private func listener(_ place: Listener.Place, _ entrance: Entrance) -> Listener {
        let known = KnownNames(publicURL: settings.publicURL, machine: names, tunnel: tunnel?.name)
        let routes = WebRoutes(
            service: service, door: door, page: page, mark: mark, appliance: appliance,
            names: known, push: push,
            tunnel: tunnel, beat: limits.beat)
        let responder = routes.router().buildResponder()
        var logger = Logger(label: "web") { StreamLogHandler.standardError(label: $0) }
        // What it calls errors are connections that end, ours included when the server is stopped.
        logger.logLevel = .critical
        return Listener(
            place: place, entrance: entrance, certificate: entrance == .network ? certificate : nil, names: known,
            connections: connections, limits: limits, logger: logger
        ) { [logger] request, writer, connection in
            let context = WebContext(source: .init(logger: logger, connection: connection))
            var response: Response
            do {
                response = try await responder.respond(to: request, context: context)
            } catch let error as HTTPParserError {
                throw error
            } catch {
                response = Response(status: .internalServerError)
            }
            response.headers[.date] = HTTPDate.text()
            do {
                try await writer.write(response: response.head, body: response.body)
            } catch is HTTPParserError {
                // Its head is on the way already: another answer would be read as a part of it.
                throw BrokenRequest()
            }
        }
    }

    /// A body that stopped being HTTP while it was being answered.
    private struct BrokenRequest: Error {}

    private func serving(_ port: Int) -> State {
        .serving(port: port, place: reach.withLock { $0 }.words(port: port, names))
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
        case .pair(let role, let here): return [JSONLine.of(try await pairing(role, here: here, by: whom))]
        case .devices: return try await door.lines(for: nil)
        case .revoke(let id):
            try await door.revoke(id, by: whom)
            return []
        case .password(let change):
            switch change {
            case .none: break
            case .set(let password): try await door.setPassword(password, by: whom)
            case .remove: try await door.setPassword(nil, by: whom)
            }
            return [JSONLine.of(PasswordLine(set: try await door.hasPassword()))]
        case .own, .leave: throw ChatError(.badRequest, "only a device has a self")
        }
    }

    /// How long a question about devices waits for a server that is just starting.
    private static let startLimit: Duration = .seconds(5)

    private func servedPort() async throws -> Int {
        let limit = ContinuousClock.now + Self.startLimit
        while true {
            switch state {
            case .serving(let port, _): return port
            case .away(let why): throw ChatError(.failed, "the page is not served: \(why)")
            case .starting where .now >= limit: throw ChatError(.failed, "the page is not served yet; ask again")
            case .starting: try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    private func pairing(_ role: DeviceRole, here: Bool, by whom: String) async throws -> PairingLine {
        let port = try await servedPort()
        let names = names
        let place =
            here
            ? PairingPlace.here(settings, port: port)
            : try PairingPlace.forPhone(
                settings, port: port, names, tunnel: await tunnel?.sight() ?? reach.withLock { $0 }.unanswered)
        // What is printed is what a browser will meet.
        let isOurTLS = place.way == .network || place.way == .here
        if isOurTLS { try? certificate?.look(at: time(nil)) }
        let (code, endsOldest) = door.issue(role, by: whom)
        let url = "\(place.url)/#pair=\(code)"
        return PairingLine(
            code: PairingCodes.shown(code), role: role, good_for: PairingCodes.lifetime.components.seconds, url: url,
            way: place.way, url_lasts: place.lasts, url_doubt: place.doubt, reachable: place.way != .here,
            fingerprint: isOurTLS && certificate?.isSelfMade == true ? certificate?.fingerprint : nil,
            qr: QRCode.rows(of: url), ends_oldest: endsOldest)
    }
}
