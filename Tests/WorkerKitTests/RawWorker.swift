import Foundation
import Glibc
import Testing
import Wire

/// A worker without WorkerKit: blocking reads and writes, as the simplest program in any language would do it.
struct RawWorker {
    private let input: Int32
    private let output: Int32
    private var decoder = FrameDecoder()
    private var inbox: [Frame] = []
    private(set) var epoch = Epoch(rawValue: 0)

    init(_ ends: (read: Int32, write: Int32)) throws {
        (input, output) = ends
        write(Frame(.hello, peer: .nexusd, id: .none, payload: Array("1 1 -".utf8)))
        let welcome = try #require(next())
        #expect(welcome.header.kind == .welcome)
        struct Fields: Decodable { var epoch: UInt32 }
        epoch = Epoch(rawValue: try JSONDecoder().decode(Fields.self, from: Data(welcome.payload)).epoch)
    }

    func write(_ frame: Frame) {
        let bytes = frame.bytes
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(output, $0.baseAddress! + offset, bytes.count - offset) }
            guard count > 0 else { return }
            offset += count
        }
    }

    /// The next frame, nil at the end of the file.
    mutating func next() -> Frame? {
        while inbox.isEmpty {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = read(input, &buffer, buffer.count)
            guard count > 0 else { return nil }
            buffer[..<count].withUnsafeBytes { bytes in
                var rest = bytes
                while let frame = try? decoder.next(from: &rest) { inbox.append(frame) }
            }
        }
        return inbox.removeFirst()
    }

    func closeOutput() { close(output) }
}
