/// The last bytes somebody said, at most `capacity` of them: log-writer's own stderr, shown by `why`.
struct ByteRing: Sendable {
    let capacity: Int
    /// Grows to `capacity`, then is written round and round.
    private var bytes: [UInt8] = []
    private var next = 0

    init(capacity: Int) { self.capacity = capacity }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        for byte in more.suffix(capacity) {
            if bytes.count < capacity {
                bytes.append(byte)
            } else {
                bytes[next] = byte
                next = (next + 1) % capacity
            }
        }
    }

    /// The last line that is not empty; `…` stands for its beginning when that is gone. Nil when there is none.
    var lastLine: String? {
        if let line = lines.last { return line }
        // All else is the end of one line, from the next whole character on.
        let end = parts.first?.drop { $0 & 0xC0 == 0x80 } ?? []
        return end.isEmpty ? nil : "…" + String(decoding: end, as: UTF8.self)
    }

    private var parts: [ArraySlice<UInt8>] {
        (bytes[next...] + bytes[..<next]).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    }

    /// The lines in order; the first one is left out when its beginning is gone.
    var lines: [String] {
        let whole = bytes.count == capacity ? parts.dropFirst() : parts[...]
        return whole.filter { !$0.isEmpty }.map { String(decoding: $0, as: UTF8.self) }
    }
}
