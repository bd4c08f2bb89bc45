import Foundation

/// `nexusctl history CHILD --json`: the ends of its runs, oldest first.
struct History: Decodable {
    var ends: [End]

    struct End: Decodable {
        var run: String
        var cause: String
        var exit: String
        var ended: Date
        var ranMs: Double
        var began: Date { ended - ranMs / 1000 }
    }

    init(_ box: Box, _ child: String) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        decoder.dateDecodingStrategy = .custom { decoder in
            let text = try decoder.singleValueContainer().decode(String.self)
            return try Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(text)
        }
        self = try decoder.decode(History.self, from: Data(try box.ctl("history", child, "--json").output.utf8))
    }
}
