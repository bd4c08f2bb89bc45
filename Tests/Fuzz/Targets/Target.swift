import Foundation

/// A reader of bytes that a stranger, a crash or a newer version may have written.
struct Target: Sendable {
    /// As NEXUS_FUZZ names it.
    let name: String
    /// Reads them. What must hold whatever they are is a `must` in here.
    let feed: @Sendable ([UInt8]) -> Void
    /// Inputs that are good, to begin with.
    let seeds: @Sendable () -> [[UInt8]]

    static let all = [
        toml, plan, frames, router, logLink, control, notify, logLines, logFiles, answers, chat, bodies, opencode,
        opencodeAnswers, cloudflared,
    ]

    /// The one that NEXUS_FUZZ names.
    static let chosen = all.first { $0.name == ProcessInfo.processInfo.environment["NEXUS_FUZZ"] }
}

/// Cuts an input into two at its first byte, for readers that must not care where a stream is split.
func split(_ bytes: [UInt8]) -> (whole: ArraySlice<UInt8>, first: ArraySlice<UInt8>, second: ArraySlice<UInt8>) {
    guard let at = bytes.first else { return ([], [], []) }
    let rest = bytes.dropFirst()
    let cut = min(rest.endIndex, rest.startIndex + Int(at))
    return (rest, rest[..<cut], rest[cut...])
}

/// False for what no JSONDecoder reads, which is most of what chance makes: each further reader would only scan it again.
func isJSON(_ data: Data) -> Bool { (try? JSONDecoder().decode(Anything.self, from: data)) != nil }

private struct Anything: Decodable {
    init(from decoder: any Decoder) throws {}
}

/// What must hold whatever the input is; said aloud, which a precondition of a release build is not.
func must(_ isTrue: Bool, _ words: String) {
    if isTrue { return }
    print("BROKEN: \(words)")
    fflush(nil)
    abort()
}
