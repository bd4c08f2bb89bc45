import Glibc
import Wire

/// The bus and the transfers in one loop on one thread: libcurl waits for its sockets and for fd 3 at once.
struct ProbeLink {
    let transfers: Transfers
    private var decoder = FrameDecoder()
    private var isDraining = false

    /// Questions under way; more get `busy`.
    static let questionLimit = 256

    init(transfers: Transfers) { self.transfers = transfers }

    /// Exit status of a life.
    mutating func run() -> Int32 {
        guard send(Frame(.hello, peer: .nexusd, id: .none, payload: Array("1 1 nexus-probe".utf8))),
            send(Frame(.ready, peer: .nexusd, id: .none))
        else { return 1 }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            for (id, answer) in transfers.advance() where !reply(id, answer) { return 0 }
            if isDraining, transfers.isEmpty {
                _ = send(Frame(.drained, peer: .nexusd, id: .none))
                return 0
            }
            guard transfers.wait(also: 3) else { continue }
            let count = read(3, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            // Its end is nexusd's: there is nobody to answer.
            guard count > 0 else { return count == 0 ? 0 : 1 }
            guard take(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { return 1 }
        }
    }

    private mutating func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var rest = bytes
        do {
            while let frame = try decoder.next(from: &rest) {
                if !take(frame) { return false }
            }
            return true
        } catch {
            NexusProbe.complain("the bus failed: \(error)")
            return false
        }
    }

    private mutating func take(_ frame: Frame) -> Bool {
        switch frame.header.kind {
        case .request: return begin(frame)
        case .cancel: transfers.cancel(frame.header.id)
        case .drain: isDraining = true
        case .hello, .welcome, .reply, .error, .event, .stream, .end, .credit, .ping, .pong, .drained, .ready, .status,
            .health:
            break
        }
        return true
    }

    private func begin(_ frame: Frame) -> Bool {
        let id = frame.header.id
        guard frame.header.peer == .nexusd, let question = HTTPQuestion(payload: frame.payload) else {
            let words = "nexus-probe answers nexusd, and understands: get MILLISECONDS HOST PORT PATH"
            return send(Frame(.error, peer: frame.header.peer, id: id, payload: BusErrorCode.badRequest.payload(words)))
        }
        guard transfers.count < Self.questionLimit, transfers.begin(question, id) else {
            let words = "\(transfers.count) questions are under way"
            return send(Frame(.error, peer: .nexusd, id: id, payload: BusErrorCode.busy.payload(words)))
        }
        return true
    }

    private func reply(_ id: FrameID, _ answer: HTTPAnswer) -> Bool {
        send(Frame(.reply, peer: .nexusd, id: id, payload: answer.payload))
    }

    /// False when nexusd is gone.
    private func send(_ frame: Frame) -> Bool {
        frame.bytes.withUnsafeBytes { bytes in
            var offset = 0
            while offset < bytes.count {
                let count = write(4, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
                if count > 0 { offset += count } else if errno != EINTR { return false }
            }
            return true
        }
    }
}
