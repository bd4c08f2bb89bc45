import CNexus

/// The secret values of a run, which are never written to a log. A guard against accidents (a program that prints its
/// environment), not against a program that wants to tell: it could write its secret backwards.
struct Redaction {
    /// Stands where a secret stood.
    static let mark = Array("[redacted]".utf8)
    /// Shorter values are not looked for: replacing every "12" would shred the log and tell the value.
    static let shortest = 4

    // Longest first, so that a secret that contains another is replaced whole.
    private let values: [[UInt8]]

    /// A value of several lines is looked for line by line: that is how it would be printed.
    init(_ secrets: [String]) {
        let lines = secrets.flatMap { $0.utf8.split(separator: UInt8(ascii: "\n")).map(Array.init) }
        values = Set(lines.filter { $0.count >= Redaction.shortest }).sorted { $0.count > $1.count }
    }

    /// True when there is nothing to look for.
    var isEmpty: Bool { values.isEmpty }

    /// The line without secrets, or nil when it has none.
    func redacted(_ line: UnsafeRawBufferPointer) -> [UInt8]? {
        guard values.contains(where: { line.offset(of: $0) != nil }) else { return nil }
        var rest = Array(line)
        for value in values {
            var clean: [UInt8] = []
            var start = 0
            while let found = rest.withUnsafeBytes({ UnsafeRawBufferPointer(rebasing: $0[start...]).offset(of: value) })
            {
                clean += rest[start..<start + found]
                clean += Redaction.mark
                start += found + value.count
            }
            rest = clean + rest[start...]
        }
        return rest
    }

    /// How many bytes at the end of an unfinished line may be the beginning of a secret whose rest has not come yet.
    func heldBack(_ line: UnsafeRawBufferPointer) -> Int {
        var longest = 0
        for value in values {
            for length in stride(from: min(value.count - 1, line.count), to: longest, by: -1) {
                let tail = UnsafeRawBufferPointer(rebasing: line[(line.count - length)...])
                if tail.elementsEqual(value[..<length]) {
                    longest = length
                    break
                }
            }
        }
        return longest
    }
}

extension UnsafeRawBufferPointer {
    /// Offset of the first occurrence of `needle` (memmem(3): linear time in glibc), nil when there is none.
    func offset(of needle: [UInt8]) -> Int? {
        guard let base = baseAddress, !needle.isEmpty else { return nil }
        return needle.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, let found = memmem(base, count, start, bytes.count) else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }
}
