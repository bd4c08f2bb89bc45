import Plan

extension Key where Value == [HTTPProbe.StatusRange] {
    /// HTTP status codes and ranges of them.
    static func statuses(_ name: String, _ summary: String) -> Key {
        Key(
            name, type: "array of status codes and ranges",
            shape: .list(of: .any([.integer(100...599), .form(.statuses)]), count: 1...HTTPProbe.statusLimit),
            initial: [.standard], shown: "[\"200-399\"]", range: "100 to 599, \"200-299\", …", summary
        ) { node throws(Mismatch) in
            let list = try node.list(of: "status codes")
            guard (1...HTTPProbe.statusLimit).contains(list.count) else {
                throw .range("1 to \(HTTPProbe.statusLimit) codes or ranges", found: "\(list.count)", node)
            }
            return try node.each(of: "status codes", StatusText.read)
        }
    }
}

/// `401` or `"200-299"`.
private enum StatusText {
    static func read(_ node: Node) throws(Mismatch) -> HTTPProbe.StatusRange {
        switch node.value {
        case .integer(let number):
            guard (100...599).contains(number) else { throw .range("100 to 599", found: "\(number)", node) }
            return HTTPProbe.StatusRange(first: UInt16(number), last: UInt16(number))
        case .string(let text):
            let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
            guard ends.count == 2, let first = ends[0], let last = ends[1], first >= 100, first <= last, last <= 599
            else { throw Mismatch(node.position, "must hold ranges such as \"200-299\", found \"\(text)\"") }
            return HTTPProbe.StatusRange(first: first, last: last)
        case .float, .boolean, .time, .array, .table: throw .kind("a status code or a range such as \"200-299\"", node)
        }
    }
}
