import Wire

/// Matching in time linear in the line: every attempt begins at an occurrence of the first literal, looks at a bounded
/// number of bytes behind it (`captureLimit` a capture) and never comes back.
extension LinePattern {
    /// Longest captured value, in bytes.
    static let captureLimit = 128
    /// Longest captured number, in digits: what an Int64 surely holds.
    static let integerLimit = 18

    /// A captured value: where in the line it stands.
    struct Found {
        let name: String
        let place: Range<Int>
    }

    /// The captured values of the first place in the line where the pattern fits; nil when it fits nowhere.
    func match(_ line: UnsafeRawBufferPointer) -> [LogReport.Capture]? { match(line, Redaction([])) }

    /// The same, and a value that any part of a secret stands in is no value to be told: it is redacted whole, for what is
    /// left of it may be the rest of the secret.
    func match(_ line: UnsafeRawBufferPointer, _ redaction: Redaction) -> [LogReport.Capture]? {
        guard let found = find(line) else { return nil }
        let secrets = found.isEmpty ? [] : redaction.places(in: line)
        return found.map { found in
            let isSecret = secrets.contains { $0.overlaps(found.place) }
            return LogReport.Capture(
                name: found.name,
                value: String(decoding: isSecret ? Redaction.mark[...] : Array(line[found.place])[...], as: UTF8.self))
        }
    }

    private func find(_ line: UnsafeRawBufferPointer) -> [Found]? {
        guard let anchor = pieces.firstIndex(where: \.isLiteral), case .literal(let text) = pieces[anchor] else {
            return matchWithoutLiteral(line)
        }
        let literal = Array(text.utf8)
        var start = 0
        while let found = UnsafeRawBufferPointer(rebasing: line[start...]).offset(of: literal) {
            let position = start + found
            if let before = captures(endingAt: position, pieces[..<anchor], line),
                let behind = captures(from: position + literal.count, pieces[(anchor + 1)...], line)
            {
                return before + behind
            }
            start = position + 1
        }
        return nil
    }

    /// Pieces behind an anchor, each where the one before ended.
    private func captures(
        from start: Int, _ pieces: ArraySlice<Piece>, _ line: UnsafeRawBufferPointer
    ) -> [Found]? {
        var captures: [Found] = []
        var position = start
        for index in pieces.indices {
            let next = index + 1 < pieces.endIndex ? pieces[index + 1].bytes : nil
            switch pieces[index] {
            case .literal(let text):
                let literal = Array(text.utf8)
                guard line.count - position >= literal.count, line[position...].starts(with: literal) else {
                    return nil
                }
                position += literal.count
            case .capture(let name):
                guard let end = Self.captureEnd(line, position, next) else { return nil }
                captures.append(Found(name: name, place: position..<end))
                position = end
            case .integer(let name):
                let end = line[position...].firstIndex { !$0.isDigit } ?? line.count
                guard (1...Self.integerLimit).contains(end - position) else { return nil }
                captures.append(Found(name: name, place: position..<end))
                position = end
            }
        }
        return captures
    }

    /// A capture before the first literal, of which there is at most one, is read backwards from it.
    private func captures(
        endingAt end: Int, _ pieces: ArraySlice<Piece>, _ line: UnsafeRawBufferPointer
    ) -> [Found]? {
        guard let piece = pieces.last else { return [] }
        guard pieces.count == 1, let (name, limit) = piece.captured else { return nil }
        var start = end
        while start > 0, piece.takes(line[start - 1]), end - start <= limit { start -= 1 }
        guard (1...limit).contains(end - start) else { return nil }
        return [Found(name: name, place: start..<end)]
    }

    /// Only one capture: the first run of bytes that it takes.
    private func matchWithoutLiteral(_ line: UnsafeRawBufferPointer) -> [Found]? {
        guard pieces.count == 1, let (name, limit) = pieces[0].captured else { return nil }
        var start = 0
        while let first = line[start...].firstIndex(where: pieces[0].takes) {
            let end = line[first...].firstIndex { !pieces[0].takes($0) } ?? line.count
            if end - first <= limit { return [Found(name: name, place: first..<end)] }
            start = end
        }
        return nil
    }

    /// Up to the first occurrence of the next literal, or as far as the bytes are allowed; at least one, at most 128.
    private static func captureEnd(_ line: UnsafeRawBufferPointer, _ start: Int, _ next: [UInt8]?) -> Int? {
        var end = start
        while end < line.count {
            if let next, end > start, line[end...].starts(with: next) { return end }
            guard line[end].isCaptured else { break }
            end += 1
            if end - start > captureLimit { return nil }
        }
        return next == nil && end > start ? end : nil
    }
}

extension LinePattern.Piece {
    fileprivate var isLiteral: Bool { bytes != nil }

    fileprivate var bytes: [UInt8]? {
        switch self {
        case .literal(let text): text.isEmpty ? nil : Array(text.utf8)
        case .capture, .integer: nil
        }
    }

    fileprivate var captured: (name: String, limit: Int)? {
        switch self {
        case .literal: nil
        case .capture(let name): (name, LinePattern.captureLimit)
        case .integer(let name): (name, LinePattern.integerLimit)
        }
    }

    fileprivate func takes(_ byte: UInt8) -> Bool {
        switch self {
        case .literal: false
        case .capture: byte.isCaptured
        case .integer: byte.isDigit
        }
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { self &- 0x30 < 10 }

    /// [A-Za-z0-9._:/-]
    fileprivate var isCaptured: Bool {
        switch self {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
        // `-`, `.`, `/`, the digits and `:` stand in a row.
        case UInt8(ascii: "-")...UInt8(ascii: ":"), UInt8(ascii: "_"): true
        case _: false
        }
    }
}
