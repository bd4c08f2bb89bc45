import Foundation
import Glibc
import Testing
import Wire

/// The real agent-worker with this test in nexusd's place: pipes on its fds 3 and 4, frames on them.
final class WorkerProcess {
    let pid: pid_t
    private let input: Int32
    private let output: Int32
    private var decoder = FrameDecoder()
    private var inbox: [Frame] = []
    private var count: UInt32 = 0
    /// The number of the client this test plays.
    static let client = PeerID(rawValue: 9)

    /// Starts it, answers its hello, and waits for its `ready`.
    init(scratch: URL, workspaces: String, values: [String: String]) throws {
        signal(SIGPIPE, SIG_IGN)
        try Data("\(EchoAgentProcess.password)\n".utf8).write(to: scratch.appendingPathComponent("opencode-password"))
        var down: [Int32] = [0, 0]
        var up: [Int32] = [0, 0]
        guard pipe(&down) == 0, pipe(&up) == 0 else { throw POSIXError(.EMFILE) }
        for end in down + up { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (input, output) = (up[0], down[1])
        pid = try Self.spawn(
            EchoAgentProcess.path("agent-worker"), read: down[0], write: up[1],
            environment: [
                "CREDENTIALS_DIRECTORY=\(scratch.path)", "NEXUS_WORKSPACES=\(workspaces)", "PATH=/usr/bin:/bin",
            ])
        close(down[0])
        close(up[1])
        let hello = try next { $0.header.kind == .hello }
        #expect(String(decoding: hello.payload, as: UTF8.self) == "1 1 agent-worker")
        let welcome: [String: Any] = [
            "protocol": 1, "epoch": 7, "peer": 3, "name": "agent-worker", "peers": [[String: Any]](), "values": values,
        ]
        send(Frame(.welcome, peer: .nexusd, id: .none, payload: try Self.json(welcome)))
        _ = try next { $0.header.kind == .ready }
    }

    deinit {
        kill(pid, SIGKILL)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        close(input)
        close(output)
    }

    private static func spawn(_ path: String, read: Int32, write: Int32, environment: [String]) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // By way of numbers that are neither: the pipe's own may be 3 or 4.
        posix_spawn_file_actions_adddup2(&actions, read, 200)
        posix_spawn_file_actions_adddup2(&actions, write, 201)
        posix_spawn_file_actions_adddup2(&actions, 200, 3)
        posix_spawn_file_actions_adddup2(&actions, 201, 4)
        posix_spawn_file_actions_addclose(&actions, 200)
        posix_spawn_file_actions_addclose(&actions, 201)
        var arguments = [strdup(path), nil]
        var variables = environment.map { strdup($0) } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, path, &actions, nil, &arguments, &variables)
        guard code == 0 else { throw POSIXError(.ENOENT) }
        return pid
    }

    static func json(_ value: Any) throws -> [UInt8] { Array(try JSONSerialization.data(withJSONObject: value)) }

    /// Sends a request and gives its id.
    func request(_ fields: [String: Any]) throws -> FrameID {
        count += 1
        let id = FrameID(epoch: Epoch(rawValue: 5), count: count)
        send(Frame(.request, peer: Self.client, id: id, payload: try Self.json(fields)))
        return id
    }

    /// Asks and waits for the reply.
    func ask(_ fields: [String: Any]) throws -> [String: Any] {
        let id = try request(fields)
        let answer = try next { $0.header.id == id }
        try #require(answer.header.kind == .reply, "\(String(decoding: answer.payload, as: UTF8.self))")
        return try Self.object(answer)
    }

    /// Asks and waits for the error; its code.
    func refusal(_ fields: [String: Any]) throws -> String { try error(fields, "code") }

    /// What the error says to people.
    func words(_ fields: [String: Any]) throws -> String { try error(fields, "message") }

    private func error(_ fields: [String: Any], _ member: String) throws -> String {
        let id = try request(fields)
        let answer = try next { $0.header.id == id }
        #expect(answer.header.kind == .error)
        return try #require(try Self.object(answer)[member] as? String)
    }

    /// The next event of a turn; nil at its end.
    func event(of id: FrameID) throws -> [String: Any]? {
        let frame = try next { $0.header.id == id && $0.header.kind != .credit }
        guard frame.header.kind == .stream else {
            #expect(frame.header.kind == .end, "\(String(decoding: frame.payload, as: UTF8.self))")
            return nil
        }
        credit(frame)
        return try Self.object(frame)
    }

    /// A reader gives credit for what it took: payload and header.
    func credit(_ frame: Frame) {
        let cost = UInt32(frame.payload.count + FrameHeader.byteCount)
        let credit = withUnsafeBytes(of: cost.bigEndian) { Array($0) }
        send(Frame(.credit, peer: Self.client, id: frame.header.id, payload: credit))
    }

    /// What goes with a request: frames within the credit of a stream's beginning, then its end.
    func upload(_ content: [UInt8], to id: FrameID) {
        for start in stride(from: 0, to: content.count, by: 20_000) {
            let piece = Array(content[start..<min(start + 20_000, content.count)])
            send(Frame(.stream, peer: Self.client, id: id, payload: piece))
        }
        send(Frame(.end, peer: Self.client, id: id))
    }

    static func object(_ frame: Frame) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(frame.payload)) as? [String: Any])
    }

    func send(_ frame: Frame) {
        let bytes = frame.bytes
        _ = bytes.withUnsafeBytes { write(output, $0.baseAddress, $0.count) }
    }

    /// Tells new values.
    func tell(values: [String: String]) throws {
        let payload = try Self.json(["event": "values", "values": values] as [String: Any])
        send(Frame(.event, peer: .nexusd, id: .none, payload: payload))
    }

    /// Tells that a child has grown too large.
    func tell(recycle child: String) throws {
        send(Frame(.event, peer: .nexusd, id: .none, payload: try Self.json(["event": "recycle", "name": child])))
    }

    /// The first frame that matches; others before it are kept for later calls.
    func next(where matches: (Frame) -> Bool) throws -> Frame {
        while true {
            if let place = inbox.firstIndex(where: matches) { return inbox.remove(at: place) }
            var waiting = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
            try #require(poll(&waiting, 1, 30_000) == 1, "agent-worker said nothing for 30 s")
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = read(input, &buffer, buffer.count)
            try #require(count > 0, "agent-worker ended its side of the bus")
            try buffer[..<count].withUnsafeBytes { bytes in
                var rest = bytes
                while let frame = try decoder.next(from: &rest) { take(frame) }
            }
        }
    }

    /// A ping to a peer is nexusd's to answer: what was before it has been read.
    private func take(_ frame: Frame) {
        guard frame.header.kind == .ping else { return inbox.append(frame) }
        send(Frame(.pong, peer: frame.header.peer, id: frame.header.id, payload: frame.payload))
    }

    /// The next status line that matches.
    func status(where matches: (String) -> Bool) throws -> String {
        let line = { (frame: Frame) in String(decoding: frame.payload, as: UTF8.self) }
        return line(try next { $0.header.kind == .status && matches(line($0)) })
    }

    /// Waits for the end of the process; its exit status.
    func exitStatus() -> Int32 {
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        return (status >> 8) & 0xFF
    }
}
