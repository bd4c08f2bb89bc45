import CCurl
import Wire

/// The GETs under way (libcurl-multi(3)); used on one thread.
final class Transfers {
    private let multi: UnsafeMutableRawPointer
    private var underWay: [FrameID: Transfer] = [:]

    /// nil only when memory is out.
    init?() {
        // 3 is CURL_GLOBAL_ALL, a macro that Swift does not see.
        guard curl_global_init(3) == CURLE_OK, let multi = curl_multi_init() else { return nil }
        self.multi = multi
    }

    deinit { curl_multi_cleanup(multi) }

    var count: Int { underWay.count }
    var isEmpty: Bool { underWay.isEmpty }

    /// False when memory is out.
    func begin(_ question: HTTPQuestion, _ id: FrameID) -> Bool {
        guard underWay[id] == nil, let transfer = Transfer(question),
            curl_multi_add_handle(multi, transfer.easy) == CURLM_OK
        else { return false }
        underWay[id] = transfer
        return true
    }

    func cancel(_ id: FrameID) { _ = end(id) }

    /// Goes on with all of them; those that ended.
    func advance() -> [(FrameID, HTTPAnswer)] {
        var running: Int32 = 0
        curl_multi_perform(multi, &running)
        var ended: [(FrameID, HTTPAnswer)] = []
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE else { continue }
            let easy = message.pointee.easy_handle
            let code = message.pointee.data.result
            guard let id = underWay.first(where: { $0.value.easy == easy })?.key, let transfer = end(id) else {
                continue
            }
            ended.append((id, transfer.answer(code)))
        }
        return ended
    }

    /// Until something happens; true when `descriptor` is readable or at its end.
    func wait(also descriptor: Int32) -> Bool {
        // CURL_WAIT_POLLIN is 1.
        var extra = curl_waitfd(fd: descriptor, events: 1, revents: 0)
        curl_multi_poll(multi, &extra, 1, 3_600_000, nil)
        return extra.revents != 0
    }

    private func end(_ id: FrameID) -> Transfer? {
        guard let transfer = underWay.removeValue(forKey: id) else { return nil }
        curl_multi_remove_handle(multi, transfer.easy)
        return transfer
    }
}

/// One GET, over when its head is there.
final class Transfer {
    let easy: UnsafeMutableRawPointer
    private let milliseconds: Int
    private let begun = ContinuousClock.now
    private var headBytes = 0
    private var isHeadWhole = false

    /// Bytes of a head, all lines together.
    static let headLimit = 65_536

    init?(_ question: HTTPQuestion) {
        guard let easy = curl_easy_init() else { return nil }
        self.easy = easy
        milliseconds = question.milliseconds
        text(CURLOPT_URL, question.url)
        // No proxy, whatever the environment says; no redirect; no other protocol; no HTTP/0.9, where anything would do.
        text(CURLOPT_PROXY, "")
        text(CURLOPT_PROTOCOLS_STR, "http")
        number(CURLOPT_FOLLOWLOCATION, 0)
        number(CURLOPT_HTTP09_ALLOWED, 0)
        number(CURLOPT_NOSIGNAL, 1)
        number(CURLOPT_PATH_AS_IS, 1)
        // Each probe shows that a new client is served.
        number(CURLOPT_FRESH_CONNECT, 1)
        number(CURLOPT_FORBID_REUSE, 1)
        number(CURLOPT_TIMEOUT_MS, question.milliseconds)
        number(CURLOPT_CONNECTTIMEOUT_MS, question.milliseconds)
        text(CURLOPT_USERAGENT, "nexus-probe")
        let context = Unmanaged.passUnretained(self).toOpaque()
        // The first byte of a body ends the transfer: the head is all that is asked for.
        _ = nexus_curl_set_writer(easy, { _, _, _, _ in 0 }, context)
        _ = nexus_curl_set_header_reader(
            easy,
            { start, size, count, context in
                guard let context else { return 0 }
                let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
                return transfer.takeLine(UnsafeRawBufferPointer(start: start, count: size * count)) ? size * count : 0
            }, context)
    }

    deinit { curl_easy_cleanup(easy) }

    /// One line of the head; false ends the transfer.
    private func takeLine(_ line: UnsafeRawBufferPointer) -> Bool {
        headBytes += line.count
        guard headBytes <= Self.headLimit else { return false }
        let isLast = line.count <= 2 && line.allSatisfy { $0 == 0x0D || $0 == 0x0A }
        // A `100 Continue` has another head behind it.
        guard isLast, status >= 200 else { return true }
        isHeadWhole = true
        return false
    }

    private var status: Int {
        var status = 0
        _ = nexus_curl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        return status
    }

    /// What its end means.
    func answer(_ code: CURLcode) -> HTTPAnswer {
        if isHeadWhole, (200...599).contains(status) {
            let elapsed = (ContinuousClock.now - begun).components
            return .status(
                UInt16(status),
                milliseconds: Int(elapsed.seconds) * 1000 + Int(elapsed.attoseconds / 1_000_000_000_000_000))
        }
        if code == CURLE_OPERATION_TIMEDOUT { return .failure("no answer within \(milliseconds) ms") }
        if headBytes > Self.headLimit { return .failure("its head is longer than \(Self.headLimit) bytes") }
        switch code {
        case CURLE_OK: return .failure("no HTTP status")
        // What libcurl calls HTTP/0.9 when it is not allowed.
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY: return .failure("what it says is not HTTP")
        // Its only sign of a single line of more than 100 KB.
        case CURLE_OUT_OF_MEMORY: return .failure("its head has a line that is too long")
        case _: return .failure(String(cString: curl_easy_strerror(code)))
        }
    }

    private func text(_ option: CURLoption, _ value: String) { _ = nexus_curl_set_text(easy, option, value) }

    private func number(_ option: CURLoption, _ value: Int) { _ = nexus_curl_set_long(easy, option, value) }
}
