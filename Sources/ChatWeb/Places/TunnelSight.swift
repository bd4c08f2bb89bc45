import Foundation

/// The tunnel, as tunnel-worker describes it (docs/tunnel.md): where browsers are brought by it, and what its owners are told.
public struct TunnelSight: Hashable, Sendable, Codable {
    var type = "tunnel"
    var mode: String
    var mode_when_on: String
    /// Nil: of a tunnel-worker that does not say.
    var mode_of_file: String?
    /// Nil: as `mode_of_file`.
    var owns_url: Bool?
    var state: String
    var words: String
    var url: String?
    var url_lasts: Bool
    /// By state and rules; nil: of a tunnel-worker that does not say.
    var url_leads: Bool?
    /// It leads here by state and rules, and tunnel-worker's own looks find something else there.
    var url_doubt: String?
    var reach = ""
    var complaint: String?
    var trial_left: Int64?
    var trial_back: String?

    /// It is on, whether it stands or not.
    var isWanted: Bool { mode != "off" }

    /// `[chat] url` leads through it, so that it leads nowhere while it is off, whatever made it off.
    var ownsURL: Bool { owns_url ?? false || ["named", "token"].contains { $0 == mode_when_on || $0 == mode_of_file } }

    /// The command that brings up one that is off.
    var remedy: String {
        if mode_when_on != "off" { return "nexusctl tunnel start" }
        return (mode_of_file ?? "off") == "off" ? "nexusctl tunnel setup" : "nexusctl tunnel mode file"
    }

    /// Its connections carry. `origin down` is of a moment ago: whoever asks this has the chat before him.
    var stands: Bool { ["connected", "degraded", "origin down"].contains(state) }

    /// Its address leads here: also while it starts, once one of its connections stands.
    var leads: Bool { url_leads ?? stands }
}

extension TunnelSight {
    private static let unknown = "unknown"

    /// The same when nobody measures it any more: nothing is known to lead here.
    /// - Parameter words: why; those of one that is not measured already stay.
    public func unmeasured(_ words: String) -> TunnelSight {
        guard state != Self.unknown else { return self }
        var sight = self
        (sight.state, sight.words, sight.url_leads) = (Self.unknown, words, false)
        (sight.complaint, sight.trial_left, sight.trial_back) = (nil, nil, nil)
        sight.url_doubt = nil
        return sight
    }

    /// Of what is wanted alone: how it was at one moment is left out.
    public var lasting: TunnelSight {
        TunnelSight(
            mode: mode, mode_when_on: mode_when_on, mode_of_file: mode_of_file, owns_url: owns_url, state: "kept",
            words: "", url: url,
            url_lasts: url_lasts)
    }

    /// Of an answer to `describe`; nil: it is none.
    public init?(_ answer: [UInt8]) {
        guard let sight = try? JSONDecoder().decode(TunnelSight.self, from: Data(answer)) else { return nil }
        self = sight
    }
}
