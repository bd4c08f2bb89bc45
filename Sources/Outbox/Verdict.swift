import Outgoing

/// What a receiver's answer means.
enum Verdict: Hashable, Sendable {
    /// It has it.
    case delivered
    /// It does not know the receiver any more (RFC 8030, 7.3 and 8.3: 404, 410).
    case gone
    /// It will never take it.
    case refused(String)
    /// It may take it later, after the time it asks for where it does.
    case again(String, after: Duration?)

    init(_ answer: OutgoingAnswer) {
        let words = "status \(answer.status)"
        switch answer.status {
        case 200..<300: self = .delivered
        // A redirect could lead anywhere, and is not followed.
        case 300..<400: self = .refused("\(words): redirects are not followed")
        case 404, 410: self = .gone
        case 408, 425, 429, 500...: self = .again(words, after: answer.retryAfter.map { .seconds($0) })
        case _: self = .refused(words)
        }
    }

    init(_ failure: OutgoingFailure) {
        switch failure {
        case .unreachable, .timedOut, .cancelled: self = .again(failure.description, after: nil)
        // What it answered at such length, it did answer.
        case .tooLong, .badURL, .forbiddenAddress, .foreignListener: self = .refused(failure.description)
        }
    }
}
