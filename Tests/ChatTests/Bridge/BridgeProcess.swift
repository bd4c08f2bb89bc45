import Foundation
import Glibc
import SupervisorCore
import Testing
import Wire

/// The built chat-bridge with this test as its nexusd: real pipes on fds 3 and 4, real frames. The test is also its only
/// control client and its agent-worker, whose part `agent` plays frame by frame.
final class BridgeProcess {
    static let client = PeerID(rawValue: 0x8000)
    static let agentPeer = PeerID(rawValue: 2)
    static let limitMilliseconds: Int32 = 30_000

    let pid: pid_t
    private let input: Int32
    private var output: Int32
    private var decoder = FrameDecoder()
    private var inbox: [Frame] = []
    private var lastID: UInt64
    private(set) var statusLine = ""
    private(set) var isAlive = true

    /// Starts it and waits until it is ready. `settings` is what `{agent}` gives, `listen` where the page is served, by TLS
    /// with a `certificate`, which is its own key too; `keep` is what `{chat-keep}` gives.
    init(
        directory: String, epoch: UInt32 = 1, settings: String? = nil, listen: String? = nil,
        certificate: String? = nil,
        keep: String? = nil
    ) throws {
        signal(SIGPIPE, SIG_IGN)
        let down = try Self.makePipe()
        let up = try Self.makePipe()
        for name in ["NEXUS_CHAT_CERTIFICATE", "NEXUS_CHAT_KEY"] { setenv(name, certificate ?? "", 1) }
        if let keep { setenv("NEXUS_CHAT_KEEP", keep, 1) } else { unsetenv("NEXUS_CHAT_KEEP") }
        pid = try Self.spawn(directory, settings, listen, read: down.read, write: up.write)
        Glibc.close(down.read)
        Glibc.close(up.write)
        input = up.read
        output = down.write
        lastID = UInt64(epoch) << 32
        #expect(try next().header.kind == .hello)
        let welcome = """
            {"protocol":1,"epoch":\(epoch),"peer":1,"name":"chat-bridge",\
            "peers":[{"name":"agent-worker","peer":\(Self.agentPeer.rawValue)}],"values":{}}
            """
        write(Frame(.welcome, peer: .nexusd, id: .none, payload: Array(welcome.utf8)))
        let joined = #"{"event":"client","peer":32768,"uid":0,"name":"nexusctl","state":"joined"}"#
        write(Frame(.event, peer: .nexusd, id: .none, payload: Array(joined.utf8)))
        // It may ask its agent before, for a turn that goes on.
        var asked: [Frame] = []
        while true {
            let frame = try next()
            if frame.header.kind == .ready { break }
            if frame.header.kind == .request { asked.append(frame) }
        }
        inbox = asked + inbox
    }

    deinit {
        kill()
        Glibc.close(input)
        if output >= 0 { Glibc.close(output) }
    }

    /// What it sees of a nexusd that was killed; its end.
    func loseNexusd() -> Int32 {
        Glibc.close(output)
        output = -1
        return wait()
    }

    /// SIGKILL, and its end.
    func kill() {
        guard isAlive else { return }
        Glibc.kill(pid, SIGKILL)
        wait()
    }

    /// SIGTERM, as nexusd stops it.
    func terminate() { Glibc.kill(pid, SIGTERM) }

    /// Waits for its end; the wait status.
    @discardableResult
    func wait() -> Int32 {
        var status: Int32 = 0
        if isAlive { waitpid(pid, &status, 0) }
        isAlive = false
        return status
    }

    /// Sends a request, of the control client or of somebody else; the answer comes with the id.
    func ask(_ json: String, from peer: PeerID = client) -> FrameID {
        lastID += 1
        let id = FrameID(rawValue: lastID)
        write(Frame(.request, peer: peer, id: id, payload: Array(json.utf8)))
        return id
    }

    /// Writes a frame as nexusd would pass it on. A bridge that is gone takes nothing, which is no failure.
    func write(_ frame: Frame) {
        let bytes = frame.bytes
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(output, $0.baseAddress.map { $0 + done }, $0.count - done) }
            guard count > 0 else { return }
            done += count
        }
    }

    /// The next frame; the status line is kept, credit is granted.
    func next() throws -> Frame {
        guard let frame = try nextOrEnd() else { throw BridgeGone() }
        return frame
    }

    /// The same, nil at the end of the pipe.
    func nextOrEnd() throws -> Frame? {
        while inbox.isEmpty {
            var entry = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, Self.limitMilliseconds) > 0 else { throw BridgeSilent() }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = read(input, &buffer, buffer.count)
            guard count > 0 else { return nil }
            try buffer[..<count].withUnsafeBytes { bytes in
                var rest = bytes
                while let frame = try decoder.next(from: &rest) { take(frame) }
            }
        }
        let frame = inbox.removeFirst()
        if frame.header.kind == .status { statusLine = String(decoding: frame.payload, as: UTF8.self) }
        if frame.header.kind == .stream {
            var credit = ByteWriter()
            credit.write(UInt32(frame.byteCount))
            write(Frame(.credit, peer: frame.header.peer, id: frame.header.id, payload: credit.bytes))
        }
        return frame
    }

    /// A ping to a peer is nexusd's to answer: what was before it has been read. So is how the tree is: nobody stopped anything.
    private func take(_ frame: Frame) {
        if frame.header.kind == .request, frame.header.peer == .nexusd, frame.payload == Array("status".utf8) {
            return write(
                Frame(.reply, peer: .nexusd, id: frame.header.id, payload: Array(#"{"children":[]}"#.utf8)))
        }
        guard frame.header.kind == .ping else { return inbox.append(frame) }
        write(Frame(.pong, peer: frame.header.peer, id: frame.header.id, payload: frame.payload))
    }

    private static func makePipe() throws -> (read: Int32, write: Int32) {
        var fds: [Int32] = [0, 0]
        guard pipe(&fds) == 0 else { throw POSIXError(.EMFILE) }
        // Above the numbers they get in the child, so that one dup2 there cannot overwrite the source of the other.
        let moved = fds.map { fcntl($0, F_DUPFD_CLOEXEC, 16) }
        for fd in fds { Glibc.close(fd) }
        return (moved[0], moved[1])
    }

    private static func spawn(
        _ directory: String, _ settings: String?, _ listen: String?, read: Int32, write: Int32
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, read, 3)
        posix_spawn_file_actions_adddup2(&actions, write, 4)
        let path = Self.path
        var pid: pid_t = 0
        var words: [UnsafeMutablePointer<CChar>?] = [strdup(path), strdup("--directory"), strdup(directory), nil]
        defer { for word in words { free(word) } }
        setenv("NEXUS_WORKSPACES", #"[{"name":"home","path":"/home/me"}]"#, 1)
        if let settings { setenv("NEXUS_AGENT", settings, 1) } else { unsetenv("NEXUS_AGENT") }
        if let listen { setenv("NEXUS_CHAT_LISTEN", listen, 1) } else { unsetenv("NEXUS_CHAT_LISTEN") }
        guard posix_spawn(&pid, path, &actions, nil, &words, environ) == 0 else { throw POSIXError(.ENOENT) }
        return pid
    }

    /// Beside the test bundle.
    private static var path: String {
        let own = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("chat-bridge").path
    }
}

/// chat-bridge said nothing for too long.
struct BridgeSilent: Error {}
/// chat-bridge closed its pipe.
struct BridgeGone: Error {}
