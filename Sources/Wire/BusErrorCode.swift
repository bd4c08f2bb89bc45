/// The `code` of an `error` frame's payload, `{"code":"…","message":"…"}`. The names are the protocol's.
public enum BusErrorCode: String, Hashable, Sendable, CaseIterable {
    /// The sender may not do this: `may` or `peers` in Supervisor.toml, or the class of a control client.
    case refused
    /// There is no such child, group, peer or operation.
    case unknown
    /// A queue or a table on the way is full; the request was not delivered. Trying again later may help.
    case busy
    /// A queue on the way was full while the request was answered: what was not delivered is of the answer, or of the
    /// upload. Whether the request was carried out is not known.
    case cut
    /// The receiver is not there and was not within the time a request may wait; it has not seen the request.
    case unavailable
    /// The receiver ended while the request was open; whether it was carried out is not known.
    case peerRestarted = "peer-restarted"
    /// The request makes no sense as it stands.
    case badRequest = "bad-request"
    /// The payload is above a limit.
    case tooLarge = "too-large"
    /// Nobody answered in time.
    case timeout
    /// Supervisor.toml is refused; the message is its diagnostics, one a line.
    case configuration
    /// It was tried and failed; the message says why.
    case failed
}

extension BusErrorCode {
    /// The payload of an `error` frame.
    public func payload(_ message: String) -> [UInt8] {
        var json = JSONWriter(capacity: message.utf8.count + 48)
        json.object {
            $0.field("code", rawValue)
            $0.field("message", message)
        }
        return json.bytes
    }
}
