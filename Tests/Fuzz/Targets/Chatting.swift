import AgentModel
import ControlClient
import Foundation
import Wire

@testable import Chat
@testable import OpenCode

extension Target {
    /// JSON as nexusctl reads it from nexusd: what is read is bounded and never traps.
    static let answers = Target(
        name: "answers",
        feed: { bytes in
            guard let value = try? JSONParser.parse(bytes) else { return }
            _ = StatusReport(value)
        },
        seeds: {
            [#"{"version":"0.1.0","pid":1,"children":[{"name":"a","state":"ready","since_ms":5}]}"#, "[1,-2.5e3,true]"]
                .map {
                    Array($0.utf8)
                }
        })

    /// Requests to chat-bridge, from the bus, the page, another worker.
    static let chat = Target(
        name: "chat",
        feed: { bytes in
            let data = Data(bytes)
            let decoder = JSONDecoder()
            _ = try? decoder.decode(ChatRequest.self, from: data)
            _ = try? decoder.decode(AgentRequest.self, from: data)
            _ = try? decoder.decode(AgentEvent.self, from: data)
        },
        seeds: {
            [
                #"{"op":"send","session":1,"text":"hello","client_id":"x"}"#, #"{"op":"resume","session":1,"after":0}"#,
                #"{"op":"answer","session":1,"id":"p","reply":"once"}"#, #"{"type":"text","block":"b","text":"t"}"#,
            ].map { Array($0.utf8) }
        })

    /// opencode's event stream: the same frames wherever it is split, and any frame is one of ours or none.
    static let opencode = Target(
        name: "opencode",
        feed: { bytes in
            let (whole, first, second) = split(bytes)
            let frames = parse([whole])
            must(frames == parse([first, second]), "it matters where the stream is split")
            for frame in frames { _ = V1Frame.read(frame) }
        },
        seeds: {
            let frame = #"{"id":"e","type":"session.idle","properties":{"sessionID":"ses_1"}}"#
            let part =
                #"{"type":"message.part.updated","properties":{"part":{"id":"p","sessionID":"s","messageID":"m","type":"text","text":"x"}}}"#
            return ["\u{5}data: \(frame)\n\n", "\u{20}: beat\r\n\r\ndata: \(part)\r\n\r\n"].map { Array($0.utf8) }
        })

    private static func parse(_ pieces: [ArraySlice<UInt8>]) -> [[UInt8]] {
        var parser = SSEParser(limit: 4096)
        var frames: [[UInt8]] = []
        for piece in pieces {
            guard let more = try? parser.feed(piece) else { break }
            frames += more
        }
        return frames
    }
}
