import Glibc

/// Takes secrets out of text that leaves the machine: values that are known, word for word, and what looks like one.
/// It would rather take too much: a report with a hole is of use, one with a password is not.
public struct TextRedactor: Sendable {
    /// What stands in place of a secret.
    public static let mark = Array("[redacted]".utf8)
    /// Known values below this many bytes would blot out half of every text.
    public static let shortestValue = 4

    private let values: [[UInt8]]

    /// `values`: the secrets that are known; of one with several lines each line counts.
    public init(values: some Sequence<String>) {
        var all: Set<[UInt8]> = []
        for value in values {
            for line in [value] + value.split(whereSeparator: \.isNewline).map(String.init) {
                let bytes = Array(line.utf8)
                guard bytes.count >= Self.shortestValue else { continue }
                all.insert(bytes)
                // As it stands inside a JSON string.
                all.insert(bytes.flatMap { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") ? [0x5C, $0] : [$0] })
            }
        }
        self.values = all.sorted { $0.count > $1.count }
    }

    /// The same text without the known values.
    public func withoutValues(_ text: [UInt8]) -> [UInt8] {
        var text = text
        for value in values { text = Self.replacing(value, in: text) }
        return text
    }

    /// The same text without the known values and without what looks like a secret.
    public func redacted(_ text: [UInt8]) -> [UInt8] {
        let text = withoutValues(text)
        var output: [UInt8] = []
        output.reserveCapacity(text.count)
        var isInKey = false
        for (index, line) in text.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            if index > 0 { output.append(0x0A) }
            var scan = SecretScan(Array(line), isInKey: isInKey)
            output += scan.redacted()
            isInKey = scan.isInKey
        }
        return output
    }

    private static func replacing(_ value: [UInt8], in text: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var start = 0
        while let place = find(value, in: text, from: start) {
            output += text[start..<place]
            output += mark
            start = place + value.count
        }
        return start == 0 ? text : output + text[start...]
    }

    private static func find(_ value: [UInt8], in text: [UInt8], from start: Int) -> Int? {
        text.withUnsafeBytes { all in
            value.withUnsafeBytes { wanted in
                guard let base = all.baseAddress, let needle = wanted.baseAddress else { return nil }
                var place = start
                while place + wanted.count <= all.count {
                    guard let found = memchr(base + place, Int32(wanted[0]), all.count - place) else { break }
                    place = UnsafeRawPointer(found) - base
                    guard place + wanted.count <= all.count else { break }
                    if memcmp(base + place, needle, wanted.count) == 0 { return place }
                    place += 1
                }
                return nil
            }
        }
    }
}
