import Foundation

/// `nexusctl status --json`, as far as scenarios look at it.
struct StatusView: Decodable {
    var pid: Int32
    var state: String
    var ready: Bool
    var uidWall: Bool
    var guarantee: String
    var notes: [String]
    var strays: [Stray]
    var groups: [Group]
    var children: [Child]

    struct Stray: Decodable {
        var pid: Int32
        var name: String
    }
    struct Group: Decodable {
        var name: String
        var state: String
    }
    struct Child: Decodable {
        var name: String
        var state: String
        var pid: Int32?
        var run: String?
        var cause: String?
        var waitsFor: String?
        var restarts: Int
        var unstableRuns: Int
        var status: String?
        var health: String?
        var values: [String: String]
        var choice: String?
        var executable: String?
        var lastEnd: End?
    }
    struct End: Decodable {
        var run: String
        var cause: String
        var exit: String
        var code: Int?
        var signal: Int?
    }

    static func decode(_ text: String) throws -> StatusView {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(StatusView.self, from: Data(text.utf8))
    }

    func child(_ name: String) -> Child? { children.first { $0.name == name } }
    func pid(_ name: String) -> Int32? { child(name)?.pid }
}
