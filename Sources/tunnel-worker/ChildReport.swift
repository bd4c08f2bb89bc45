import Foundation
import Tunnel

/// nexusd's answer to `status CHILD`, as far as the tunnel goes by it.
struct ChildReport {
    /// Of the run that lives; nil: none is starting or ready.
    let run: String?
    let pid: Int32?
    let isReady: Bool
    /// It is being stopped: to be off, or to be started anew.
    let isStopping: Bool
    /// It is not to run.
    let isOff: Bool
    /// nexusd has given it up for now.
    let isParked: Bool
    /// What nexusd does about it next.
    let next: TunnelState.NextTry
    let lastEnd: End?

    struct End {
        var run: String
        /// `exit 1`
        var exit: String
        /// Why nexusd ended it on its own account; nil: it did not.
        var byNexusd: String?
        /// Somebody wanted that. What nexusd ended on its own account (a start that took too long) nobody asked for.
        var isAsked: Bool
    }

    private struct Answer: Decodable {
        var state: String
        var run: String?
        var pid: Int32?
        var next_try_ms: Int?
        var last_end: End?
        struct End: Decodable {
            var run: String
            var cause: String
            var exit: String
            var detail: String?
            /// A probe says `not ready within 2 min: …` or what it got; without words it was one of the two.
            var byNexusd: String? {
                ["probe", "watchdog"].contains(cause) ? detail ?? "as it was not ready or not well in time" : nil
            }
        }
    }

    init?(_ payload: [UInt8]) {
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(payload)) else { return nil }
        isReady = answer.state == "ready"
        pid = answer.pid
        run = isReady || answer.state == "starting" ? answer.run : nil
        isStopping = answer.state == "stopping"
        isOff = answer.state == "off"
        isParked = answer.state == "parked"
        switch answer.state {
        case "delayed": next = answer.next_try_ms.map { .soon(seconds: Self.up($0, 1000)) } ?? .unsaid
        case "parked": next = .parked(minutes: answer.next_try_ms.map { Self.up($0, 60_000) })
        case _: next = .unsaid
        }
        lastEnd = answer.last_end.map {
            End(
                run: $0.run, exit: $0.exit, byNexusd: $0.byNexusd,
                isAsked: ["asked", "dependency", "recycled"].contains($0.cause))
        }
    }

    private static func up(_ count: Int, _ unit: Int) -> Int { max(1, count / unit + (count % unit > 0 ? 1 : 0)) }

    /// The lines with which this run ended, of the answer to `why CHILD`; none where that has those of another.
    static func lastLines(of run: String, inWhy payload: [UInt8]) -> [String] {
        struct Why: Decodable {
            var last_lines: [String]
            var last_lines_run: String?
        }
        guard let why = try? JSONDecoder().decode(Why.self, from: Data(payload)), why.last_lines_run == run else {
            return []
        }
        return why.last_lines
    }

    /// Of the answer to `settings CHILD`, in whose words it is one number with one unit.
    static func stopTimeout(inSettings payload: [UInt8]) -> Duration? {
        struct Answer: Decodable {
            var settings: [Setting]
            struct Setting: Decodable {
                var setting: String
                var value: String?
            }
        }
        let answer = try? JSONDecoder().decode(Answer.self, from: Data(payload))
        guard let text = answer?.settings.first(where: { $0.setting == "stop-timeout" })?.value else { return nil }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits), number <= 86_400_000 else { return nil }
        switch text.dropFirst(digits.count) {
        case "ms": return .milliseconds(number)
        case "s": return .seconds(number)
        case "min": return .seconds(number * 60)
        case "h": return .seconds(number * 3600)
        case _: return nil
        }
    }
}
