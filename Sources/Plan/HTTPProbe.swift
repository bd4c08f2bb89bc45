/// A GET to a server on this machine. Any answer with one of `statuses` is healthy; redirects are not followed.
public struct HTTPProbe: Hashable, Sendable {
    /// 127.0.0.0/8 in numbers, or `::1`.
    public var host: String
    /// 1 to 65535; may name a captured value.
    public var port: Text
    /// From the `/` on, with a query; visible ASCII.
    public var path: String
    /// Status codes that are healthy.
    public var statuses: [StatusRange]
    /// From the question until the whole head of the answer.
    public var timeout: Duration

    /// Ranges in one probe.
    public static let statusLimit = 16
    /// Bytes of a path.
    public static let pathLimit = 1024

    /// Some codes, both ends included.
    public struct StatusRange: Hashable, Sendable {
        /// At least 100.
        public var first: UInt16
        /// At most 599, not below `first`.
        public var last: UInt16

        /// Both ends.
        public init(first: UInt16, last: UInt16) {
            self.first = first
            self.last = last
        }

        /// What says that all is well, or where to go.
        public static let standard = StatusRange(first: 200, last: 399)
    }

    /// All of it.
    public init(
        host: String, port: Text, path: String = "/", statuses: [StatusRange] = [.standard], timeout: Duration
    ) {
        self.host = host
        self.port = port
        self.path = path
        self.statuses = statuses
        self.timeout = timeout
    }

    /// Whether this code is healthy.
    public func accepts(_ status: UInt16) -> Bool { statuses.contains { ($0.first...$0.last).contains(status) } }

    /// In the kernel's and HTTP's ranges, and nothing that would end a request line.
    var isValid: Bool {
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
        let isLoopback4 = numbers.count == 4 && numbers[0] == "127" && numbers.allSatisfy { UInt8($0) != nil }
        let isPath =
            path.utf8.first == UInt8(ascii: "/") && path.utf8.count <= HTTPProbe.pathLimit
            && path.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        let areStatuses =
            (1...HTTPProbe.statusLimit).contains(statuses.count)
            && statuses.allSatisfy { $0.first >= 100 && $0.first <= $0.last && $0.last <= 599 }
        return (isLoopback4 || host == "::1") && isPath && areStatuses
    }

    /// `200-399`, `401`, …
    public var statusWords: String {
        statuses.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }.joined(separator: ", ")
    }
}
