/// A question of nexusd to nexus-probe, as words: `get MILLISECONDS HOST PORT PATH`. See docs/bus-protocol.md.
public struct HTTPQuestion: Hashable, Sendable {
    /// Until the head of the answer is there.
    public var milliseconds: Int
    /// 127.0.0.0/8 in numbers, or `::1`.
    public var host: String
    /// 1 to 65535.
    public var port: UInt16
    /// From the `/` on; visible ASCII.
    public var path: String

    /// Bytes of a question.
    public static let byteLimit = 2048
    /// The longest time, in milliseconds: that of `timeout` in Supervisor.toml.
    public static let longestMilliseconds = 600_000

    /// All of it.
    public init(milliseconds: Int, host: String, port: UInt16, path: String) {
        self.milliseconds = milliseconds
        self.host = host
        self.port = port
        self.path = path
    }

    /// nil for everything else: nexus-probe asks this machine only, whoever asks it.
    public init?(payload: [UInt8]) {
        guard payload.count <= HTTPQuestion.byteLimit, payload.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            return nil
        }
        let words = String(decoding: payload, as: UTF8.self).split(
            separator: " ", maxSplits: 4, omittingEmptySubsequences: false)
        guard words.count == 5, words[0] == "get", let time = Int(words[1]),
            (1...HTTPQuestion.longestMilliseconds).contains(time), let port = UInt16(words[3]), port > 0,
            words[4].utf8.first == UInt8(ascii: "/"), !words[4].utf8.contains(0x20)
        else { return nil }
        let numbers = words[2].split(separator: ".", omittingEmptySubsequences: false)
        guard words[2] == "::1" || numbers.count == 4 && numbers[0] == "127" && numbers.allSatisfy({ UInt8($0) != nil })
        else { return nil }
        self.init(milliseconds: time, host: String(words[2]), port: port, path: String(words[4]))
    }

    /// The words.
    public var payload: [UInt8] { Array("get \(milliseconds) \(host) \(port) \(path)".utf8) }

    /// For libcurl; no part of it can be anything else than what it is here.
    public var url: String { "http://\(host == "::1" ? "[::1]" : host):\(port)\(path)" }
}

/// nexus-probe's answer, as words: `status CODE MILLISECONDS`, or `failure WHY…`.
public enum HTTPAnswer: Hashable, Sendable {
    /// The server's status line came.
    case status(UInt16, milliseconds: Int)
    /// It did not, and why: a miss.
    case failure(String)
    /// There is no answer, and why: no verdict.
    case none(String)
    /// An answer that is none.
    case malformed(String)

    /// Total: any bytes give an answer.
    public init(_ payload: [UInt8]) {
        let text = Router.printable(payload, limit: Router.statusLimit)
        let words = text.split(separator: " ", maxSplits: 1)
        if words.count == 2, words[0] == "failure" {
            self = .failure(String(words[1]))
            return
        }
        let numbers = text.split(separator: " ", omittingEmptySubsequences: false)
        guard numbers.count == 3, numbers[0] == "status", let code = UInt16(numbers[1]), (100...599).contains(code),
            let time = Int(numbers[2]), time >= 0
        else {
            self = .malformed("\"\(String(text.prefix(64)))\"")
            return
        }
        self = .status(code, milliseconds: time)
    }

    /// The words; empty for what nexus-probe never says.
    public var payload: [UInt8] {
        switch self {
        case .status(let code, let milliseconds): Array("status \(code) \(milliseconds)".utf8)
        case .failure(let why): Array("failure \(why)".utf8)
        case .none, .malformed: []
        }
    }
}
