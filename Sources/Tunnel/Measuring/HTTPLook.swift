import Outgoing

/// One GET or POST with a short limit.
struct HTTPLook: Sendable {
    /// `http://127.0.0.1:20241/ready`.
    var url: String
    var way: OutgoingWay = .asTheURLSays
    var headers: [(name: String, value: String)] = []
    /// Makes it a POST.
    var body: String?
    var limit: Duration = .seconds(2)
    /// The header of the answer that is wanted too.
    var keeping: String?
    /// On 127.0.0.1: whose answer is believed; nil: anybody's.
    var owners: Set<UInt32>?

    /// Longest body that is taken; what is beyond fails the look.
    static let bodyLimitBytes = 1 << 20

    private static let client = OutgoingClient()

    /// Carries it out. Where it goes is the owner's word or cloudflared's port, so any address may be reached.
    func answer() async throws(OutgoingFailure) -> OutgoingAnswer {
        try await Self.client.send(
            OutgoingCall(
                url, headers: headers, body: body.map { Array($0.utf8) }, way: way, limit: limit,
                answerLimit: Self.bodyLimitBytes, reach: .anywhere, owners: owners,
                httpsOnly: false, keeping: keeping))
    }
}
