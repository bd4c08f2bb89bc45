import Foundation
import Testing

/// Somebody with a browser outside, at the edge: `visitor.py`, which follows its turns by number over any break of the way.
final class Visitor {
    private let process: Running
    private let folder: String

    /// One line that it said.
    struct Line: Decodable {
        var what: String
        var count: Int?
        var why: String?
        var state: String?
        var reason: String?
        var answer: String?
        var session: String?
        var after: Int?
        var number: Int?
    }

    /// Pairs and sends the first of `texts`; the others when they are let go.
    /// - Parameter enter: the words that run a command where the visitor is.
    init(_ box: Box, enter: [String], edge: String, host: String, _ texts: [String]) throws {
        struct Pairing: Decodable { var code: String }
        let pairing = try box.ctl("pair", "--here", "--json")
        let code = try JSONDecoder().decode(Pairing.self, from: Data(pairing.output.utf8)).code
        folder = box.directory + "/visitor-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let script = Programs.repository + "/Tests/Scenarios/Tunnel/visitor.py"
        process = try Running(
            enter[0], enter.dropFirst() + ["/usr/bin/python3", script, edge, host, code, folder] + texts,
            environment: ["PATH": "/usr/bin:/bin"])
    }

    deinit { kill(process.pid, SIGKILL) }

    /// All it said so far.
    var lines: [Line] {
        process.output.split(separator: "\n").compactMap { try? JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    }

    /// Until a line says so; that one.
    @discardableResult
    func wait(
        _ what: String, limit: Duration = .seconds(30), where condition: (Line) -> Bool = { _ in true }
    ) throws -> Line {
        let deadline = ContinuousClock.now + limit
        while true {
            let isOver = process.waitForEnd(.milliseconds(10)) != nil
            if let line = lines.last(where: { $0.what == what && condition($0) }) { return line }
            guard !isOver, ContinuousClock.now < deadline else {
                throw Trouble("the visitor never said \(what): \(process.output.suffix(2000))\(process.errors)")
            }
        }
    }

    /// Lets it send message `number`, counted from 0.
    func go(_ number: Int) throws {
        try "".write(toFile: folder + "/go-\(number)", atomically: true, encoding: .utf8)
    }

    /// The numbers in the answer to the last turn that ended.
    func numbers(_ line: Line) -> [Int] {
        (line.answer ?? "").split { !$0.isNumber && !$0.isLetter }.compactMap { Int($0) }
    }
}
