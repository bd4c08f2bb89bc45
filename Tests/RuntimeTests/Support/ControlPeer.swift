import Foundation
import System
import TestSupport
import Wire

/// A control client made of nothing but frames, so that what is tested is the protocol and not a client's view of it.
final class ControlPeer {
    private let kernel = LiveKernel()
    private let socket: OwnedFD
    private var decoder = FrameDecoder()
    private var frames: [Frame] = []
    private var count: UInt64 = 0

    /// What ended a request.
    enum Ending: Equatable {
        case reply(String)
        case error(code: String, message: String)
        case stream(String)
    }

    struct Gone: Error {}

    /// Connects; with `greets` also says hello.
    init(_ path: String, greets: Bool = true) throws {
        socket = try kernel.makeSocket(.unix, .stream)
        try kernel.connect(socket, to: .path(path))
        if greets { try send(Frame(.hello, peer: .nexusd, id: .none, payload: Array("1 1 test".utf8))) }
    }

    /// Whoever writes to it from now on is told EPIPE.
    func readNoMore() throws { try kernel.shutdownReceiving(socket) }

    func send(_ frame: Frame) throws { try send(bytes: frame.bytes) }

    func send(bytes: [UInt8]) throws {
        var offset = 0
        while offset < bytes.count {
            do {
                let start = offset
                offset += try bytes.withUnsafeBytes {
                    try kernel.send(socket, UnsafeRawBufferPointer(rebasing: $0[start...]), passing: [], to: nil)
                }
            } catch let error as Errno where error == .again {
                guard try waitUntil(socket, is: .writable) else { throw Gone() }
            }
        }
    }

    /// The next frame; throws `Gone` at the end of the stream.
    func next(within limit: Duration = .seconds(20)) throws -> Frame {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while frames.isEmpty {
            guard try waitUntil(socket, within: limit) else { throw Gone() }
            let got = try buffer.withUnsafeMutableBytes { try kernel.read(socket, into: $0) }
            if got == 0 { throw Gone() }
            try buffer.withUnsafeBytes { all in
                var rest = UnsafeRawBufferPointer(rebasing: all[..<got])
                while let frame = try decoder.next(from: &rest) { frames.append(frame) }
            }
        }
        return frames.removeFirst()
    }

    /// Sends a request to nexusd and gives its id.
    func request(_ words: String, peer: PeerID = .nexusd) throws -> FrameID {
        count += 1
        let id = FrameID(rawValue: count)
        try send(Frame(.request, peer: peer, id: id, payload: Array(words.utf8)))
        return id
    }

    /// Waits for the end of a request.
    func end(of id: FrameID) throws -> Ending {
        var streamed: [UInt8] = []
        while true {
            let frame = try next()
            guard frame.header.id == id else { continue }
            switch frame.header.kind {
            case .reply: return .reply(String(decoding: frame.payload, as: UTF8.self))
            case .stream: streamed += frame.payload
            case .end: return .stream(String(decoding: streamed, as: UTF8.self))
            case .error:
                let json = try JSONSerialization.jsonObject(with: Data(frame.payload)) as? [String: String]
                return .error(code: json?["code"] ?? "?", message: json?["message"] ?? "?")
            case _: continue
            }
        }
    }

    func ask(_ words: String) throws -> Ending { try end(of: request(words)) }

    /// The answer as an object; an error fails the test.
    func object(_ words: String) throws -> [String: Any] {
        switch try ask(words) {
        case .reply(let text), .stream(let text):
            return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
        case .error(let code, let message): throw Refused(code: code, message: message)
        }
    }

    struct Refused: Error {
        let code: String
        let message: String
    }
}
