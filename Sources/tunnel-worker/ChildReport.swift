import Foundation
import Tunnel

/// nexusd's answer to `status CHILD`, as far as the tunnel goes by it.
struct ChildReport {
    let isRunning: Bool
    let isReady: Bool
    let run: String?
    private(set) var end: TunnelMachine.TunnelChild.End?

    private struct Answer: Decodable {
        var state: String
        var run: String?
        var last_end: End?
        struct End: Decodable {
            var run: String
            var cause: String
            var exit: String
        }
    }

    init?(_ payload: [UInt8]) {
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(payload)) else { return nil }
        isRunning = answer.state == "starting" || answer.state == "ready"
        isReady = answer.state == "ready"
        run = answer.run
        end = answer.last_end.map { end in
            // What nexusd ended on its own account (a start that took too long) nobody asked for.
            let wasTold = ["asked", "dependency", "recycled"].contains(end.cause)
            return .init(run: end.run, words: end.exit, asked: wasTold)
        }
        // Told to end, and not to be off: it is on its way back. Only who stopped it for good has it stopped.
        if end?.asked == true, answer.state != "off" { end = nil }
    }

    /// The line with which a run ended, of the answer to `why CHILD`: what cloudflared says last before a failed start is bare
    /// text, without time and level.
    static func lastWords(inWhy payload: [UInt8]) -> String? {
        struct Why: Decodable { var last_lines: [String] }
        guard let lines = (try? JSONDecoder().decode(Why.self, from: Data(payload)))?.last_lines else { return nil }
        let own = lines.last { !$0.isEmpty }
        let updated = lines.last { $0.contains("cloudflared has been updated") }
        return (updated ?? own).map { String($0.prefix(160)) }
    }
}
