import CNexus
import Wire

/// The secret values of a run, which are never written to a log. A guard against accidents (a program that prints its
/// environment), not against a program that wants to tell: it could write its secret backwards.
struct Redaction {
    /// Stands where a secret stood.
    static let mark = Array("[redacted]".utf8)
    /// Longer values are looked for piece by piece: an entry holds 1 KiB at least, and a whole piece with it.
    static let longest = 512

    // Longest first, so that a secret that contains another is replaced whole.
    private let values: [[UInt8]]

    /// A value of several lines is looked for line by line: that is how it would be printed. Lines under
    /// `LogStream.shortestRedaction` bytes are not looked for.
    init(_ secrets: [String]) {
        let lines = secrets.flatMap { $0.utf8.split(separator: UInt8(ascii: "\n")).map(Array.init) }
        let pieces = lines.filter { $0.count >= LogStream.shortestRedaction }.flatMap(Redaction.pieces)
        values = Set(pieces).sorted { $0.count > $1.count }
    }

    /// Pieces of a long line; the last two share what is too short for one alone.
    private static func pieces(of line: [UInt8]) -> [[UInt8]] {
        let count = max(1, (line.count + longest - 1) / longest)
        return (0..<count).map { Array(line[(line.count * $0 / count)..<(line.count * ($0 + 1) / count)]) }
    }

    /// True when there is nothing to look for.
    var isEmpty: Bool { values.isEmpty }

    /// The line without secrets, or nil when it has none. With `isCutShort` its writer is gone, and what may be the
    /// beginning of a secret at its end counts as one.
    func redacted(_ line: UnsafeRawBufferPointer, isCutShort: Bool = false) -> [UInt8]? {
        let beginning = isCutShort ? heldBack(line) : 0
        guard beginning < LogStream.shortestRedaction else {
            let whole = UnsafeRawBufferPointer(rebasing: line[..<(line.count - beginning)])
            return (redacted(whole) ?? Array(whole)) + Redaction.mark
        }
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

    /// Where secrets stand in a line; what may be the beginning of one at its end counts as one.
    func places(in line: UnsafeRawBufferPointer) -> [Range<Int>] {
        var places: [Range<Int>] = []
        for value in values {
            var start = 0
            while let found = UnsafeRawBufferPointer(rebasing: line[start...]).offset(of: value) {
                places.append(start + found..<start + found + value.count)
                start += found + 1
            }
        }
        let beginning = heldBack(line)
        if beginning >= LogStream.shortestRedaction { places.append(line.count - beginning..<line.count) }
        return places
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
