import CCurl
import Outgoing

/// One call on its way: an easy handle, what came back so far, and who waits.
///
/// @unchecked Sendable: made by the caller, then handed to the loop's thread and touched by that thread alone.
final class CurlTransfer: @unchecked Sendable {
    /// Who waits for what comes back. All are called on the loop's thread and must not block.
    struct Receiver: Sendable {
        /// The head, once, before the first byte of the body.
        var head: @Sendable (HTTPHead) -> Void
        /// A piece of the body; false calls the transfer off.
        var bytes: @Sendable (UnsafeRawBufferPointer) -> Bool
        /// The end: nil for a whole answer.
        var end: @Sendable (HTTPFailure?) -> Void
    }

    let easy: UnsafeMutableRawPointer
    private let silence: Duration?
    private let owner: UInt32
    private var stranger: HTTPFailure?
    private let receiver: Receiver
    private var headers: UnsafeMutablePointer<curl_slist>?
    private var head = HTTPHead()
    private var headSent = false
    private var overflow = false
    private var bytesLeft: Int
    private(set) var lastByte = ContinuousClock.now

    /// Nil only when memory is out.
    init?(_ call: HTTPCall, to endpoint: AgentEndpoint, _ receiver: Receiver) {
        guard let easy = curl_easy_init() else { return nil }
        self.easy = easy
        self.receiver = receiver
        silence = call.silence
        owner = endpoint.owner
        bytesLeft = call.answerBytes
        setUp(call, endpoint)
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headers)
    }

    /// When this transfer is to be given up for silence.
    var deadline: ContinuousClock.Instant? { silence.map { lastByte + $0 } }

    /// The end, as libcurl has it.
    func finished(_ code: CURLcode) {
        sendHead()
        receiver.end(failure(code))
    }

    /// The end from this side.
    func finished(_ failure: HTTPFailure) { receiver.end(failure) }

    private func setUp(_ call: HTTPCall, _ endpoint: AgentEndpoint) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        text(CURLOPT_URL, endpoint.url(call))
        text(CURLOPT_USERNAME, endpoint.user)
        text(CURLOPT_PASSWORD, endpoint.password)
        // No proxy, whatever the environment says; no redirect; no other protocol; no signals in a threaded program.
        text(CURLOPT_PROXY, "")
        text(CURLOPT_PROTOCOLS_STR, "http")
        number(CURLOPT_HTTPAUTH, 1)
        number(CURLOPT_FOLLOWLOCATION, 0)
        number(CURLOPT_NOSIGNAL, 1)
        number(CURLOPT_CONNECTTIMEOUT_MS, Limits.connectTime.wholeMilliseconds)
        if let limit = call.limit { number(CURLOPT_TIMEOUT_MS, limit.wholeMilliseconds) }
        add(header: "Accept: \(call.silence == nil ? "application/json" : "text/event-stream")")
        switch call.method {
        case .get: break
        case .delete:
            text(CURLOPT_CUSTOMREQUEST, call.method.rawValue)
            number(CURLOPT_FRESH_CONNECT, 1)
        case .post, .patch:
            // Without `Expect:` libcurl would wait a second for a "100 Continue" before a long body.
            add(header: "Content-Type: application/json")
            add(header: "Expect:")
            let body = call.body ?? []
            number(CURLOPT_POSTFIELDSIZE, body.count)
            body.withUnsafeBytes { _ = nexus_curl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, $0.baseAddress) }
            number(CURLOPT_POST, 1)
            if call.method == .patch { text(CURLOPT_CUSTOMREQUEST, call.method.rawValue) }
            // On a kept connection that turns out dead libcurl sends once more by itself. What has effects must not be
            // sent twice: the dead server may have taken it.
            number(CURLOPT_FRESH_CONNECT, 1)
        }
        _ = nexus_curl_set_pointer(easy, CURLOPT_HTTPHEADER, headers)
        _ = nexus_curl_set_look(easy, { CurlTransfer.of($0)?.look(port: $3, localPort: $4) ?? 1 }, context)
        _ = nexus_curl_set_writer(easy, { CurlTransfer.of($3)?.received($0, $1 * $2) ?? 0 }, context)
        _ = nexus_curl_set_header_reader(easy, { CurlTransfer.of($3)?.receivedHeader($0, $1 * $2) ?? 0 }, context)
    }

    /// The last look before the password goes out: 0 when the other end is opencode's.
    private func look(port: Int32, localPort: Int32) -> Int32 {
        let uid = ListenerOwner.uid(port: UInt16(clamping: port), localPort: UInt16(clamping: localPort))
        if uid == owner { return 0 }
        stranger = .foreignListener(port: UInt16(clamping: port), uid: uid, wanted: owner)
        return 1
    }

    private static func of(_ context: UnsafeMutableRawPointer?) -> CurlTransfer? {
        context.map { Unmanaged<CurlTransfer>.fromOpaque($0).takeUnretainedValue() }
    }

    private func text(_ option: CURLoption, _ value: String) { _ = nexus_curl_set_text(easy, option, value) }

    private func number(_ option: CURLoption, _ value: Int) { _ = nexus_curl_set_long(easy, option, value) }

    private func add(header: String) { headers = curl_slist_append(headers, header) }

    /// One header line; a new status line (after a 100) begins anew.
    private func receivedHeader(_ start: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        lastByte = .now
        guard let start else { return 0 }
        let line = String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
            .trimmingCRLF
        if line.hasPrefix("HTTP/") {
            head = HTTPHead()
        } else if let colon = line.firstIndex(of: ":"), head.fields.count < 100 {
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            head.fields[line[..<colon].lowercased()] = String(value.prefix(4096))
        }
        return count
    }

    private func received(_ start: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        lastByte = .now
        sendHead()
        guard count <= bytesLeft else {
            overflow = true
            return 0
        }
        if silence == nil { bytesLeft -= count }
        return receiver.bytes(UnsafeRawBufferPointer(start: start, count: count)) ? count : 0
    }

    private func sendHead() {
        guard !headSent else { return }
        var status = 0
        _ = nexus_curl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        guard status != 0 else { return }
        head.status = status
        headSent = true
        receiver.head(head)
    }

    private func failure(_ code: CURLcode) -> HTTPFailure? {
        switch code {
        case CURLE_OK: nil
        case CURLE_ABORTED_BY_CALLBACK: stranger ?? .cancelled
        case CURLE_COULDNT_CONNECT: .refused
        case CURLE_OPERATION_TIMEDOUT: .timedOut
        // The four ways in which the end of the process on the other side shows.
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR: .closed
        case CURLE_WRITE_ERROR: overflow ? .tooLong : .cancelled
        case _: .broken(String(cString: curl_easy_strerror(code)))
        }
    }
}

extension String {
    fileprivate var trimmingCRLF: String {
        var text = self[...]
        while let last = text.unicodeScalars.last, last == "\r" || last == "\n" { text.unicodeScalars.removeLast() }
        return String(text)
    }
}

extension Duration {
    /// Rounded down.
    var wholeMilliseconds: Int {
        Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
    }
}
