import AgentModel
import Chat
import Foundation
import Glibc
import Synchronization
import Testing

@testable import ChatWeb

/// A server on a port of its own, with a store and an agent of its own.
final class WebBox: Sendable {
    let directory = FileManager.default.temporaryDirectory.path + "/nexus-web-test-\(UUID().uuidString)"
    let store: ChatStore
    let hub: EventHub
    let server: WebServer
    let agent = SlowAgent()
    let port: Int
    let certificate: PageCertificate?
    /// What was asked of nexusd.
    let asked = Words()
    /// What tunnel-worker has said.
    let tunnelName = TunnelName()
    /// What was asked of tunnel-worker.
    let tunnelAsked = Words()
    let audit = Words()
    /// The log of every child.
    let log = PlayedLog()
    /// What pages keep beside their cookies.
    private let keys = Mutex<[String: String]>([:])
    private let tunnelSocket: Int32
    private let task: Task<Void, Never>

    final class Words: Sendable {
        private let words = Mutex<[String]>([])
        func add(_ word: String) { words.withLock { $0.append(word) } }
        var all: [String] { words.withLock { $0 } }
    }

    init(
        limits: ConnectionLimits = ConnectionLimits(), port: Int = 0, url: String? = nil, largeFileBytes: Int = 0,
        certificate isSecure: Bool = false, ofTheOwner isGiven: Bool = false
    ) async throws {
        store = try ChatStore(directory: directory)
        hub = EventHub(store: store)
        let runner = TurnRunner(store: store, hub: hub, agent: agent)
        _ = try await runner.begin()
        await runner.agentIs(.here)
        let page = directory + "/page"
        try FileManager.default.createDirectory(atPath: page + "/rooms", withIntermediateDirectories: true)
        try Data("<!doctype html>page".utf8).write(to: URL(fileURLWithPath: page + "/index.html"))
        try Data("{}".utf8).write(to: URL(fileURLWithPath: page + "/page.webmanifest"))
        try Data(repeating: UInt8(ascii: ";"), count: largeFileBytes).write(
            to: URL(fileURLWithPath: page + "/rooms/large.js"))
        try Data("not for strangers".utf8).write(to: URL(fileURLWithPath: directory + "/secret.js"))
        let tunnelSocket = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #expect(UnixAddress.use(directory + "/tunnel.sock") { bind(tunnelSocket, $0, $1) } == 0)
        #expect(listen(tunnelSocket, 512) == 0)
        self.tunnelSocket = tunnelSocket
        let (states, said) = AsyncStream<WebServer.State>.makeStream()
        let settings = try #require(
            try WebSettings(listen: "127.0.0.1:\(port)", url: url, certificate: isSecure ? "self-made" : nil))
        let asked = asked
        let tunnelAsked = tunnelAsked
        let tunnelName = tunnelName
        let log = log
        let audit = audit
        let file = directory + "/own.pem"
        if isGiven {
            let names = MachineNames(own: "box", addresses: [.loopback])
            let pem = try SelfMadeCertificate.pem(for: names, serial: 7, now: time(nil))
            try Data(pem).write(to: URL(fileURLWithPath: file))
        }
        certificate =
            isSecure
            ? try PageCertificate(
                isGiven ? .files(certificate: file, key: file) : .selfMade(directory: directory + "/tls"),
                listening: "127.0.0.1"
            ) { audit.add($0) } : nil
        server = WebServer(
            settings: settings,
            service: ChatService(store: store, hub: hub, runner: runner, workspaces: Workspaces(names: ["home"])),
            door: Door(store: store) { audit.add($0) }, page: try PageFiles(directory: page),
            appliance: Appliance(own: "chat-bridge") {
                asked.add($0)
                return Array(#"{"version":"test"}"#.utf8)
            } may: {
                ["status", "restart:opencode", "restart:chat"]
            } tail: { child, place in
                log.asked.add("\(child) \(place?.at ?? "-") \(place?.same ?? 0)")
                return log
            } audit: {
                audit.add($0)
            }, push: PushDesk(store: store, publicKey: "key", kinds: [.turn, .parked]) { audit.add($0) },
            tunnel: TunnelFront(name: tunnelName) { question, _ in
                tunnelAsked.add(String(decoding: question, as: UTF8.self))
                return Array(Self.tunnelLine.utf8)
            } audit: {
                audit.add($0)
            },
            tunnelSocket: tunnelSocket, certificate: certificate, limits: limits, changed: { said.yield($0) })
        task = Task { [server] in await server.run() }
        var port = 0
        for await state in states {
            if case .serving(let number, _) = state { port = number }
            break
        }
        self.port = port
    }

    /// As tunnel-worker describes itself, with more than the page is told.
    static let tunnelLine =
        #"{"type":"tunnel","mode":"named","mode_when_on":"named","state":"connected","words":"connected 4/4","#
        + #""url":"https://chat.example.invalid","url_lasts":true,"reach":"nobody","program":"/usr/bin/cloudflared"}"#

    deinit {
        task.cancel()
        close(tunnelSocket)
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Opens a connection.
    func connect(receiveBuffer: Int32? = nil, host: UInt8 = 1) throws -> RawConnection {
        try RawConnection(port: port, receiveBuffer: receiveBuffer, host: host)
    }

    /// The same to the tunnel's socket.
    func connectAsTunnel() throws -> RawConnection { try RawConnection(path: directory + "/tunnel.sock") }

    /// A POST of the page's own kind; `headers` come last.
    func post(_ path: String, _ body: String, cookie: String? = nil, _ headers: [String] = []) throws -> RawAnswer {
        let connection = try connect()
        try connection.send(request(path, body, cookie: cookie, headers))
        let answer = try connection.answer()
        keep(answer)
        return answer
    }

    /// What a page does with the answer that let it in.
    private func keep(_ answer: RawAnswer) {
        guard let set = answer.header("set-cookie"), let found = answer.text.firstMatch(of: /"key":"([0-9a-f]{64})"/)
        else { return }
        keys.withLock { $0[String(set.prefix { $0 != ";" })] = String(found.1) }
    }

    /// What the page of that cookie says beside it.
    func key(beside cookie: String?) -> String { cookie.flatMap { one in keys.withLock { $0[one] } } ?? "1" }

    /// The bytes of one.
    func request(_ path: String, _ body: String, cookie: String? = nil, _ headers: [String] = []) -> String {
        let own = [
            "POST \(path) HTTP/1.1", "Host: localhost:\(port)", "Origin: http://localhost:\(port)",
            "X-Nexus: \(key(beside: cookie))", "Content-Type: application/json", "Content-Length: \(body.utf8.count)",
            "Connection: close",
        ]
        let cookies = cookie.map { ["Cookie: \($0)"] } ?? []
        return (own + cookies + headers).joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    /// The store has a text whole, not only the memory of who is told it.
    func isStored(_ text: String, in session: SessionID) async throws -> Bool {
        guard let page = try await store.page(of: session, after: .start) else { return false }
        return page.events.contains {
            if case .toWrite(let event) = $0, case .text(_, let stored, replaces: true) = event.what {
                stored.contains(text)
            } else {
                false
            }
        }
    }

    /// A code as `nexusctl pair` gets one.
    func code(_ role: DeviceRole = .owner) async throws -> String {
        let line = try #require(try await server.answer(.pair(role, here: true), by: "a test").first)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
        return try #require(object["code"] as? String)
    }

    /// Pairs a device; returns its cookie.
    func pair(_ role: DeviceRole = .owner) async throws -> String {
        let answer = try post("/api/pair", #"{"code":"\#(try await code(role))","name":"a test"}"#)
        #expect(answer.status == 200)
        let set = try #require(answer.header("set-cookie"))
        return String(set.prefix { $0 != ";" })
    }
}

/// Says word after word, each when the test lets it.
final class SlowAgent: AgentPort {
    func rename(session: AgentSessionID, to title: String) async throws {}
    func remove(session: AgentSessionID) async throws {}
    func fork(session: AgentSessionID, before prompt: String?) async throws -> AgentSessionID { session }
    func revert(session: AgentSessionID, to prompt: String) async throws {}
    func unrevert(session: AgentSessionID) async throws {}

    private let turns = Mutex<[AsyncThrowingStream<AgentEvent, any Error>.Continuation]>([])
    private let begun = AsyncStream<Void>.makeStream()

    func describe() async throws -> AgentDescription {
        AgentDescription(product: "test", version: "1", ready: true, state: "ready", workspaces: ["home"])
    }

    func catalog(workspace: String?) async throws -> [CatalogEntry] { [] }

    func openSession(title: String, workspace: String?) async throws -> AgentSessionID { AgentSessionID(rawValue: "s") }

    func runTurn(
        session: AgentSessionID, workspace: String?, text: String, files: [FileToSend], choice: TurnChoice
    ) async throws -> any AsyncSequence<AgentEvent, any Error> & Sendable {
        let (stream, turn) = AsyncThrowingStream<AgentEvent, any Error>.makeStream()
        turn.yield(.turnStarted(prompt: "msg_1"))
        turns.withLock { $0.append(turn) }
        begun.continuation.yield()
        return stream
    }

    func followTurn(
        session: AgentSessionID, prompt: String
    ) async throws -> any AsyncSequence<AgentEvent, any Error> & Sendable {
        throw AgentError(.unknownSession, "it remembers no turn")
    }

    func abort(session: AgentSessionID) async throws { end(.interrupted(reason: "stopped")) }

    func answer(_ answer: ChatAnswer, to id: String, session: AgentSessionID) async throws {
        throw AgentError(.unknownRequest, "it asked nothing")
    }

    /// Returns when the next turn is with the agent.
    func turnBegins() async {
        for await _ in begun.stream { return }
    }

    func say(_ text: String) {
        turns.withLock { _ = $0.last?.yield(.textDelta(block: "b", text: text)) }
    }

    /// The block is whole.
    func complete(_ text: String) {
        turns.withLock { _ = $0.last?.yield(.textBlock(block: "b", text: text)) }
    }

    func end(_ outcome: TurnOutcome = .done) {
        turns.withLock { turns in
            turns.last?.yield(.turnEnded(outcome))
            turns.last?.finish()
        }
    }
}
