import Chat
import Foundation
import HTTPTypes
import Hummingbird

/// What can be asked over HTTP: the files of the page by GET, everything else by POST.
struct WebRoutes: Sendable {
    let service: ChatService
    let door: Door
    let page: PageFiles
    let mark: PageMark
    let appliance: Appliance?
    let names: KnownNames
    let push: PushDesk?
    let tunnel: TunnelFront?
    let beat: Duration

    func router() -> Router<WebContext> {
        // HEAD is GET without the body (RFC 9110, 9.3.2).
        let router = Router(context: WebContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: Gatehouse(names: names) { service.words(for: $0) })
        for path in page.files.keys {
            router.get(RouterPath(path)) { request, _ in mark.seal(try page.answer(path, request), path, request) }
        }
        router.get("attachment/:id") { request, context in try await attachment(request, context) }
        router.post("api/pair") { request, context in try await pair(request, context) }
        router.post("api/chat") { request, context in try await chat(request, context) }
        router.post("api/devices") { request, context in try await devices(request, context) }
        router.post("api/push") { request, context in try await tell(request, context) }
        router.post("api/appliance") { request, context in try await ask(request, context) }
        router.post("api/tunnel") { request, context in try await lead(request, context) }
        return router
    }

    // MARK: - Coming in

    private struct PairingBody: Decodable {
        var code: String
        var password: String?
        var name: String?
    }

    private func pair(_ request: Request, _ context: WebContext) async throws -> Response {
        let bytes = try await Body.of(request)
        guard let body = try? JSONDecoder().decode(PairingBody.self, from: Data(bytes)) else {
            throw WebError(.badRequest, "bad-request", "the body is {\"code\":\"…\",\"name\":\"…\"}")
        }
        let (device, pass) = try await door.pair(
            code: body.code, password: body.password, name: body.name ?? "", address: context.address,
            sharesCookie: names.sharesCookie(request.head.authority, by: context.connection))
        var line = DeviceLine(device, own: true)
        line.key = pass.key
        var response = Response.json(JSONLine.of(line))
        response.headers[.setCookie] = SessionCookie.set(pass.token)
        return response
    }

    private func admit(_ request: Request, _ context: WebContext) async throws(Refused) -> Device {
        // What stands for the page's own script stands for its key where there is one: never nil in a POST (`Gatehouse`).
        let key = request.method == .post ? request.headers[.nexus] ?? "" : nil
        let device = try await door.admit(token: SessionCookie.token(in: request), key: key, address: context.address)
        context.connection.belongs(to: device.id)
        return device
    }

    // MARK: - Chat

    private struct Manner: Decodable {
        /// Seconds; without it the answer is a stream.
        var wait: Double?
        /// `probe` and `render` are no requests of the chat: whether streams get through, and Markdown as HTML.
        var op: String?

        /// Nil: it is no object, which is said of what is asked.
        static func read(_ body: [UInt8]) throws(WebError) -> Manner? {
            do {
                return try JSONDecoder().decode(Manner.self, from: Data(body))
            } catch DecodingError.typeMismatch(_, let about) where about.codingPath.first?.stringValue == "wait" {
                throw WebError(.badRequest, "bad-request", "wait is not good; wait is a number of seconds")
            } catch {
                return nil
            }
        }
    }

    private func chat(_ request: Request, _ context: WebContext) async throws -> Response {
        let device = try await admit(request, context)
        let body = try await Body.of(request)
        let manner = try Manner.read(body)
        let answer = lines(manner, for: device, by: context.connection)
        if manner?.op == "probe" { return try answer.response { await StreamProbe.run($0) } }
        if manner?.op == "render" { return Response.json(try await RenderedText.line(of: body)) }
        let asked = try ChatRequest(payload: body)
        // Before the answer begins, which would be a good one: the page keeps a message for a session that is gone.
        if let session = asked.session { try await service.require(session) }
        return try answer.response { [service] send in
            do {
                let who = Asker.device(device.id, name: device.name)
                let reply = try await service.answer(asked, by: who, to: send, line: RenderedEvent.line)
                if let reply { return reply }
                return LineAnswer.endLine
            } catch let error as ChatError {
                return WebError(error).line
            } catch {
                return WebError(service.words(for: error)).line
            }
        }
    }

    private func lines(_ manner: Manner?, for device: Device, by connection: Connection) -> LineAnswer {
        // Brought between its bounds as a number: not every one is a `Duration`.
        let bounds = LineAnswer.waits
        let wait = manner?.wait.map { Duration.seconds(min(max(bounds.lowerBound, $0), bounds.upperBound)) }
        let onlyTells = ["resume", "changes", "tail"].contains(manner?.op)
        let isFinite = !onlyTells && manner?.op != "send"
        return LineAnswer(
            wait: wait, isFinite: isFinite, beat: beat, streams: door.streams, device: device.id,
            connection: onlyTells ? connection : nil
        ) { [door] in Task { await door.saw(device.id) } }
    }

    /// A GET, so that pictures and downloads work. The cookie alone gives what is named by the hash of its own content.
    private func attachment(_ request: Request, _ context: WebContext) async throws -> Response {
        _ = try await admit(request, context)
        let (file, path) = try await service.attachment(context.parameters.get("id") ?? "")
        let name = request.uri.queryParameters["name"].map(String.init) ?? file.name
        return try AttachmentAnswer.of(file, at: path, name: name.removingPercentEncoding ?? name)
    }

    // MARK: - Devices

    private func devices(_ request: Request, _ context: WebContext) async throws -> Response {
        let device = try await admit(request, context)
        switch DeviceRequest(payload: try await Body.of(request)) {
        case .own: return .json(JSONLine.of(DeviceLine(device, own: true)))
        case .leave:
            try await door.revoke(device.id, by: "itself")
            var response = Response.json(LineAnswer.endLine)
            response.headers[.setCookie] = SessionCookie.cleared
            return response
        case .devices:
            try requireOwner(device)
            let lines = try await door.lines(for: device.id)
            return .json(Array(lines.joined(separator: [UInt8(ascii: "\n")])))
        case .revoke(let id):
            try requireOwner(device)
            try await door.revoke(id, by: "device \(device.id)")
            return .json(LineAnswer.endLine)
        case .pair, .password, nil:
            throw WebError(
                .badRequest, "bad-request",
                "the body is {\"op\":…} with own, leave, devices or revoke; codes are made on the machine: nexusctl pair"
            )
        }
    }

    private func requireOwner(_ device: Device) throws(WebError) {
        guard device.role == .owner else {
            throw WebError(.forbidden, "refused", "device \(device.id) was paired for the chat only")
        }
    }

    private func tell(_ request: Request, _ context: WebContext) async throws -> Response {
        let device = try await admit(request, context)
        let body = try await Body.of(request)
        guard let asked = PushRequest(payload: body) else {
            throw WebError(
                .badRequest, "bad-request",
                "the body is {\"op\":\"key\"}, unsubscribe, or subscribe with endpoint (https), p256dh and auth")
        }
        guard let push else {
            let words =
                "Off: Nexus says nothing by itself. To be told, put these lines into Supervisor.toml (it may have a [word] "
                + "already), then: nexusctl reload"
            let lines = "[word]\nsend = [\(Word.Kind.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))]"
            // Who asks how it is gets an answer; the others want what is not there.
            if case .key = asked { return .json(JSONLine.of(["type": "push", "off": words, "lines": lines])) }
            throw WebError(.notFound, "unknown", words)
        }
        return .json(try await push.answer(asked, for: device))
    }

    // MARK: - The machine

    private func ask(_ request: Request, _ context: WebContext) async throws -> Response {
        let device = try await admit(request, context)
        try requireOwner(device)
        let body = try await Body.of(request)
        guard let appliance, let asked = ApplianceRequest(payload: body) else {
            throw WebError(
                .badRequest, "bad-request",
                "the body is {\"op\":\"status\"}, {\"op\":\"why\",\"child\":NAME}, tail or restart")
        }
        if case .tail(let child, let place) = asked {
            let manner = try Manner.read(body)
            return try lines(manner, for: device, by: context.connection).response {
                await appliance.follow(child, from: place, to: $0)
            }
        }
        return .json(try await appliance.answer(asked, for: device))
    }

    private func lead(_ request: Request, _ context: WebContext) async throws -> Response {
        let device = try await admit(request, context)
        try requireOwner(device)
        guard let tunnel, let asked = TunnelRequest(payload: try await Body.of(request)) else {
            throw WebError(
                .badRequest, "bad-request",
                "the body is {\"op\":\"describe\"}, start, stop, keep, or mode with quick, named or token")
        }
        return .json(try await tunnel.answer(asked, for: device, over: context.connection.entrance))
    }
}

/// The cookie with a device's token. `__Host-`: browsers take it from this origin only, over TLS or on localhost only.
enum SessionCookie {
    private static let name = "__Host-nexus"
    // As long as browsers keep one; a device that stays away is forgotten earlier (`ChatStore.deviceIdleLimit`).
    private static let maxAge = 400 * 86_400

    static func set(_ token: String) -> String {
        "\(name)=\(token); Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=\(maxAge)"
    }

    static let cleared = "\(name)=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"

    static func token(in request: Request) -> String? {
        for header in request.headers[values: .cookie] {
            for pair in header.split(separator: ";") {
                let pair = pair.drop { $0 == " " }
                if pair.hasPrefix("\(name)=") { return String(pair.dropFirst(name.count + 1)) }
            }
        }
        return nil
    }
}

/// Two lines with a pause between them: who gets them with the pause gets streams.
enum StreamProbe {
    static let pause: Duration = .milliseconds(300)

    static func run(_ send: ChatService.Sink) async -> [UInt8] {
        try? await send(Array(#"{"n":1,"type":"probe"}"#.utf8))
        try? await Task.sleep(for: pause)
        return LineAnswer.endLine
    }
}

/// An event with its Markdown as HTML, where a block comes whole: the agent has said it, or it was read from the store.
enum RenderedEvent {
    private struct Text: Encodable {
        var type = "text"
        var seq: EventNumber?
        var session: SessionID
        var turn: TurnID
        var block: String
        var text: String
        var whole = true
        var html: String
    }

    static let line = ChatService.Line(page: plain, slowly: rendered)

    /// Nil for a block that is rendered.
    @Sendable private static func plain(_ event: ChatEvent) -> [[UInt8]]? {
        if case .text(_, let text, replaces: true) = event.what, text.utf8.count <= Markdown.limitBytes { return nil }
        return parts(event)
    }

    private static func parts(_ event: ChatEvent) -> [[UInt8]] {
        event.parts(ofAtMost: Markdown.limitBytes).map(\.json)
    }

    /// One line with its HTML, so that nothing is rendered by halves; a text that is too long for that in several.
    @Sendable private static func rendered(_ event: ChatEvent) async -> [[UInt8]] {
        guard case .text(let block, let text, replaces: true) = event.what,
            let html = await Rendering.shared.html(text)
        else { return parts(event) }
        let line = Text(
            seq: event.number, session: event.session, turn: event.turn, block: block, text: text, html: html)
        return [JSONLine.of(line)]
    }
}
