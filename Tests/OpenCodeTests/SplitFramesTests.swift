import Chance
import Foundation
import Testing

@testable import OpenCode

/// Recorded streams in random pieces: frames and characters may be cut anywhere between two reads.
struct SplitFramesTests {
    private static let rounds = ProcessInfo.processInfo.environment["NEXUS_LONG"] == "1" ? 2000 : 40

    /// Our own recordings, and the real ones where they lie beside the repository.
    private static var recordings: [URL] {
        let own = ["echo-turn", "echo-abort-global", "tool-turn", "v2-tool-turn"].compactMap {
            Bundle.module.url(forResource: $0, withExtension: "sse", subdirectory: "Frames")
        }
        let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let captured = ["v1.18.4/sse_frames.txt", "v1.18.4/sse_frames_reasoning.txt"].map {
            repository.deletingLastPathComponent().appendingPathComponent("shared/reference/opencode/samples/\($0)")
        }
        return own + captured.filter { FileManager.default.fileExists(atPath: $0.path) }
    }

    @Test(arguments: recordings)
    func randomPieces_giveTheSameFrames(recording: URL) throws {
        let bytes = Array(try Data(contentsOf: recording))
        var whole = SSEParser()
        let frames = try whole.feed(bytes)
        #expect(frames.count > 5)
        let isV2 = recording.lastPathComponent.hasPrefix("v2-")
        let read = frames.map(isV2 ? V2Frame.read : V1Frame.read)
        #expect(read.allSatisfy { $0 != nil })
        for seed in 1...UInt64(Self.rounds) {
            var random = SplitMix(seed: seed)
            var parser = SSEParser()
            var split: [[UInt8]] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                // Mostly tiny pieces, as a slow stream has them.
                let piece = rest.prefix(Int.random(in: 1...(Bool.random(using: &random) ? 3 : 400), using: &random))
                split += try parser.feed(piece)
                rest = rest.dropFirst(piece.count)
            }
            #expect(split == frames, "seed \(seed), \(recording.lastPathComponent)")
        }
    }
}
