import Foundation

/// What scripts/fuzz keeps of the inputs that it made: the smallest set that reaches as much. One text a target, so that a
/// change of it can be read: an input a line, the shortest first, and bytes that a line has no room for as `\n`, `\r`,
/// `\t`, `\\` or `\x` with two digits.
enum Corpus {
    /// Of a target; none when nothing was kept yet.
    static func kept(_ name: String) -> [[UInt8]] {
        FileManager.default.contents(atPath: path(name)).map { inputs(Array($0)) } ?? []
    }

    static func path(_ name: String) -> String { tests.appendingPathComponent("Fuzz/Corpus/\(name).txt").path }

    /// Files of other tests that are good to begin with, as far as one input has room.
    static func files(below folder: String, suffix: String) -> [[UInt8]] {
        let folder = tests.appendingPathComponent(folder)
        let names = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        return names.filter { $0.hasSuffix(suffix) }.sorted().compactMap {
            (try? Data(contentsOf: folder.appendingPathComponent($0))).map { Array($0) }
        }
    }

    private static let tests = (0..<3).reduce(URL(fileURLWithPath: #filePath)) { path, _ in
        path.deletingLastPathComponent()
    }

    static func text(_ inputs: [[UInt8]]) -> [UInt8] {
        let sorted = inputs.filter { !$0.isEmpty }.sorted {
            $0.count == $1.count ? $0.lexicographicallyPrecedes($1) : $0.count < $1.count
        }
        return sorted.flatMap { $0.flatMap(written) + [newline] }
    }

    static func inputs(_ text: [UInt8]) -> [[UInt8]] { text.split(separator: newline).map { read($0) } }

    private static let newline = UInt8(ascii: "\n")
    private static let escape = UInt8(ascii: "\\")
    private static let short: [UInt8: UInt8] = [
        UInt8(ascii: "\n"): UInt8(ascii: "n"), UInt8(ascii: "\r"): UInt8(ascii: "r"),
        UInt8(ascii: "\t"): UInt8(ascii: "t"), escape: escape,
    ]
    private static let long = Dictionary(uniqueKeysWithValues: short.map { ($1, $0) })

    private static func written(_ byte: UInt8) -> [UInt8] {
        if let short = short[byte] { return [escape, short] }
        if (0x20..<0x7F).contains(byte) { return [byte] }
        return Array("\\x".utf8) + (byte < 16 ? [UInt8(ascii: "0")] : []) + String(byte, radix: 16).utf8
    }

    private static func read(_ line: ArraySlice<UInt8>) -> [UInt8] {
        var (rest, input) = (line, [UInt8]())
        while let byte = rest.popFirst() {
            guard byte == escape, let kind = rest.popFirst() else {
                input.append(byte)
                continue
            }
            input.append(long[kind] ?? UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? kind)
            if long[kind] == nil { rest = rest.dropFirst(2) }
        }
        return input
    }
}

/// The words of good inputs, as libFuzzer takes them for a dictionary: it puts together from them what chance never
/// spells.
enum WordList {
    static func text(_ inputs: [[UInt8]]) -> String {
        var words: Set<String> = []
        for input in inputs {
            for piece in input.split(whereSeparator: { !isWord($0) && $0 != UInt8(ascii: "\"") }) {
                let word = String(decoding: piece, as: UTF8.self)
                if (3...40).contains(word.utf8.count) { words.insert(word.replacing("\"", with: "\\\"")) }
            }
        }
        return words.sorted().map { "\"\($0)\"\n" }.joined()
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        case _: false
        }
    }
}
