import Hummingbird

/// A page of a list of 2.x: `{"data":[…],"cursor":{"previous":…,"next":…}}`. A cursor is the place of the page's first
/// item in the whole list.
struct V2Page {
    /// Items of a page when nothing is said.
    static let defaultLimit = 50
    /// At most.
    static let longest = 200

    /// `items` in the order `asc`.
    static func answer(_ items: [Shape], _ request: Request, newestFirst: Bool) throws -> Shape {
        let query = request.uri.queryParameters
        let limit = min(max(1, try request.number("limit") ?? defaultLimit), longest)
        let isDescending = query["order"].map { $0 == "desc" } ?? newestFirst
        let ordered = isDescending ? items.reversed() : items
        var start = 0
        if let cursor = query["cursor"] {
            guard let place = Int(cursor), (0...ordered.count).contains(place) else {
                throw APIError.cursor(String(cursor))
            }
            start = place
        }
        let end = min(start + limit, ordered.count)
        return [
            "data": .list(Array(ordered[start..<end])),
            "cursor": [
                "previous": start > 0 ? .text(String(max(0, start - limit))) : .null,
                "next": end < ordered.count ? .text(String(end)) : .null,
            ],
        ]
    }
}
