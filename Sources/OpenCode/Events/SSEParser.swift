/// Reads `text/event-stream` (WHATWG HTML, 9.2) from bytes split anywhere: line ends LF, CRLF or CR; comments, `id`,
/// `event` and `retry` lines are skipped, `data` lines of a frame are joined with LF. What the stream ends with
/// unfinished is no frame.
struct SSEParser {
    /// A frame is longer than `Limits.frameBytes`.
    struct TooLong: Error {}

    private let limit: Int
    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var skipsLF = false
    private var isFirstLine = true

    init(limit: Int = Limits.frameBytes) { self.limit = limit }

    /// The frames that these bytes complete, each the joined data of one frame.
    mutating func feed(_ bytes: some Sequence<UInt8>) throws(TooLong) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n"), skipsLF {
                skipsLF = false
                continue
            }
            skipsLF = byte == UInt8(ascii: "\r")
            if byte == UInt8(ascii: "\n") || skipsLF {
                if let frame = endLine() { frames.append(frame) }
                continue
            }
            line.append(byte)
            guard line.count + data.count <= limit else { throw TooLong() }
        }
        return frames
    }

    private mutating func endLine() -> [UInt8]? {
        defer { line.removeAll(keepingCapacity: true) }
        // The stream may begin with a byte order mark.
        if isFirstLine, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        isFirstLine = false
        guard !line.isEmpty else { return takeFrame() }
        guard let value = Self.dataValue(of: line) else { return nil }
        if hasData { data.append(UInt8(ascii: "\n")) }
        data.append(contentsOf: value)
        hasData = true
        return nil
    }

    private mutating func takeFrame() -> [UInt8]? {
        guard hasData else { return nil }
        defer {
            data = []
            hasData = false
        }
        return data
    }

    /// What follows `data:`, less one space; nil for every other line. A line `data` alone has an empty value.
    private static func dataValue(of line: [UInt8]) -> ArraySlice<UInt8>? {
        guard line.starts(with: "data".utf8) else { return nil }
        let rest = line.dropFirst(4)
        guard let colon = rest.first else { return rest }
        guard colon == UInt8(ascii: ":") else { return nil }
        let value = rest.dropFirst()
        return value.first == UInt8(ascii: " ") ? value.dropFirst() : value
    }
}
