import CNexus

/// Cuts the bytes of a pipe into entries. The rules: a newline ends a line; what has none is taken out as a partial entry
/// when it reaches the bound, when it is old, or when its writers are gone; no cut stands inside a UTF-8 scalar.
struct LineFormatter {
    /// Longest text of an entry in bytes; a longer line becomes several partial ones.
    static let longestEntry = 16 * 1024
    /// What is done with bytes behind the last newline.
    enum Remainder {
        /// They stay: more may come.
        case stays
        /// They are old: they become a partial entry, but for what may be half a scalar or half a secret. What stands behind
        /// a newline that only came now is not old.
        case isOld
        /// They are taken whatever their age, as old ones are: we are about to end.
        case isTaken
        /// Nothing can come any more: they are the last line.
        case isLast
    }

    /// Text of an entry up to here; less than `longestEntry` for a pipe that is smaller than 64 KiB.
    let bound: Int
    let redaction: Redaction
    let standard: LogLevel
    /// The level of the line whose earlier part was taken out as partial; nil at the start of a line.
    private(set) var carried: LogLevel?

    init(pipeBytes: Int, redaction: Redaction, standard: LogLevel = .info) {
        bound = max(1, min(LineFormatter.longestEntry, pipeBytes / 4))
        self.redaction = redaction
        self.standard = standard
    }

    /// What one call took.
    struct Result {
        /// Bytes of the source that are now entries.
        var consumed = 0
        /// Bytes written to the target.
        var written = 0
        /// Entries of the child: without those that only end a line whose rest is suppressed.
        var lines = 0
        /// Entries that were not written, because the child says too much.
        var suppressed = 0
    }

    /// Writes entries to `target`, each with `prefix`, and calls `each` with the text of every one. Stops when the target
    /// is full: what was not consumed stands in the pipe still. Beyond `allowance` entries the rest is only counted.
    mutating func format(
        _ source: UnsafeRawBufferPointer, remainder: Remainder, prefix: [UInt8],
        into target: UnsafeMutableRawBufferPointer, allowance: Int = .max,
        each: (_ text: UnsafeRawBufferPointer, _ isPartial: Bool) -> Void
    ) -> Result {
        var result = Result()
        guard let base = source.baseAddress else { return result }
        prefix.withUnsafeBytes { prefix in
            while result.consumed < source.count {
                let start = base + result.consumed
                let rest = source.count - result.consumed
                var length: Int
                var isPartial = false
                var newline = 1
                if let found = memchr(start, 0x0A, min(rest, bound + 1)) {
                    length = UnsafeRawPointer(found) - start
                } else if rest > bound || (rest == bound && remainder != .isLast) {
                    length = cut(UnsafeRawBufferPointer(start: start, count: bound))
                    (isPartial, newline) = (true, 0)
                } else {
                    let all = UnsafeRawBufferPointer(start: start, count: rest)
                    let rule = rule(for: remainder, isFirst: result.lines + result.suppressed == 0)
                    guard let end = takeRemainder(all, rule) else { return }
                    length = end
                    (isPartial, newline) = (remainder != .isLast, 0)
                }
                let text = UnsafeRawBufferPointer(start: start, count: length)
                let isSuppressed = result.lines >= allowance
                if !isSuppressed || carried != nil {
                    // A line that is suppressed from its middle on ends where it is cut.
                    let said = isSuppressed ? UnsafeRawBufferPointer(rebasing: text[..<0]) : text
                    let end: LineEnd =
                        isSuppressed ? .newline : isPartial ? .partial : newline == 1 ? .newline : .cutShort
                    guard let written = write(said, end, prefix, into: target, at: result.written) else { return }
                    result.written += written
                }
                each(text, isPartial)
                result.consumed += length + newline
                if isSuppressed { result.suppressed += 1 } else { result.lines += 1 }
            }
        }
        return result
    }

    /// How the text of an entry ends.
    private enum LineEnd {
        case newline
        /// It goes on in the next entry.
        case partial
        /// Its writer is gone: what it would have said is not known.
        case cutShort
    }

    /// One entry; nil when it does not fit.
    private mutating func write(
        _ text: UnsafeRawBufferPointer, _ end: LineEnd, _ prefix: UnsafeRawBufferPointer,
        into target: UnsafeMutableRawBufferPointer, at offset: Int
    ) -> Int? {
        let detected = carried.map { DetectedLevel(level: $0, prefix: 0) } ?? LogLevel.detect(text, standard: standard)
        let said = UnsafeRawBufferPointer(rebasing: text[detected.prefix...])
        let isPartial = end == .partial
        let clean = redaction.isEmpty ? nil : redaction.redacted(said, isCutShort: end == .cutShort)
        let count = prefix.count + (clean?.count ?? said.count) + 1
        guard target.count - offset >= count, let entry = target.baseAddress.map({ $0 + offset }),
            let template = prefix.baseAddress
        else { return nil }
        memcpy(entry, template, prefix.count)
        entry.storeBytes(
            of: 0x30 + detected.level.rawValue, toByteOffset: prefix.count - EntryFormat.levelFromEnd, as: UInt8.self)
        if isPartial {
            entry.storeBytes(
                of: EntryFormat.partial, toByteOffset: prefix.count - EntryFormat.flagFromEnd, as: UInt8.self)
        }
        if let clean {
            clean.withUnsafeBytes { bytes in
                if let start = bytes.baseAddress { memcpy(entry + prefix.count, start, bytes.count) }
            }
        } else if let start = said.baseAddress {
            memcpy(entry + prefix.count, start, said.count)
        }
        entry.storeBytes(of: 0x0A, toByteOffset: count - 1, as: UInt8.self)
        carried = isPartial ? detected.level : nil
        return count
    }

    /// What stands behind a newline that only came now is not old; what stands behind a cut is taken with it, for a byte that
    /// is left over can keep the one slot of a small pipe.
    private func rule(for remainder: Remainder, isFirst: Bool) -> Remainder {
        guard !isFirst, remainder != .isLast else { return remainder }
        return carried != nil ? .isTaken : remainder == .isOld ? .stays : remainder
    }

    /// How much of what has no newline is taken now; nil: nothing.
    private func takeRemainder(_ rest: UnsafeRawBufferPointer, _ remainder: Remainder) -> Int? {
        switch remainder {
        case .stays: return nil
        case .isLast: return rest.count
        case .isOld, .isTaken:
            // What is held back may stay for good: it is shorter than a secret, and blocks nothing.
            let end = rest.scalarBoundary(before: rest.count - redaction.heldBack(rest))
            return end > 0 ? end : nil
        }
    }

    /// Where a line that is too long is cut.
    private func cut(_ line: UnsafeRawBufferPointer) -> Int {
        let end = line.count - redaction.heldBack(line)
        return line.scalarBoundary(before: end > 0 ? end : line.count)
    }
}

extension UnsafeRawBufferPointer {
    /// The last place at or before `end` that is not inside a UTF-8 scalar; `end` itself where the bytes are no UTF-8.
    func scalarBoundary(before end: Int) -> Int {
        var start = end - 1
        while start > 0, end - start < 4, self[start] & 0xC0 == 0x80 { start -= 1 }
        guard start >= 0 else { return end }
        let needed =
            switch self[start] {
            case 0xC2...0xDF: 2
            case 0xE0...0xEF: 3
            case 0xF0...0xF4: 4
            case _: 1
            }
        return end - start < needed ? start : end
    }
}
