import ControlClient
import Foundation
import Glibc
import Testing
import Wire

@Suite(.timeLimit(.minutes(1)))
struct ConnectionTests {
    @Test func helloAndRequest_travelInOneWrite() throws {
        let nexusd = try StandInNexusd { frame in
            frame.header.kind == .request
                ? [Frame(.reply, peer: .nexusd, id: frame.header.id, payload: Array("{}".utf8))] : []
        }
        let connection = try ControlConnection(socket: nexusd.path)
        let answer = try connection.answer(to: connection.request("status"))
        #expect(answer == Array("{}".utf8))
        #expect(nexusd.reads.first.map { $0.map(\.header.kind) } == [.hello, .request])
        #expect(nexusd.reads.first?.map { String(decoding: $0.payload, as: UTF8.self) } == ["1 1 nexusctl", "status"])
    }

    @Test func answerInPieces_isPutTogether() throws {
        let nexusd = try StandInNexusd { frame in
            guard frame.header.kind == .request else { return [] }
            let piece = [UInt8](repeating: 0x78, count: FrameHeader.payloadLimit)
            return [
                Frame(.stream, peer: .nexusd, id: frame.header.id, payload: piece),
                Frame(.stream, peer: .nexusd, id: frame.header.id, payload: [0x79]),
                Frame(.end, peer: .nexusd, id: frame.header.id),
            ]
        }
        let connection = try ControlConnection(socket: nexusd.path)
        let answer = try connection.answer(to: connection.request("status"))
        #expect(answer.count == FrameHeader.payloadLimit + 1 && answer.last == 0x79)
    }

    @Test func answersInAnotherOrder_reachTheirRequests() throws {
        let held = Box<[Frame]>([])
        let nexusd = try StandInNexusd { frame in
            guard frame.header.kind == .request else { return [] }
            held.value.append(Frame(.reply, peer: .nexusd, id: frame.header.id, payload: frame.payload))
            return held.value.count == 3 ? held.value.reversed() : []
        }
        let connection = try ControlConnection(socket: nexusd.path)
        let ids = ["a", "b", "c"].map { connection.request($0) }
        let answers = try ids.map { String(decoding: try connection.answer(to: $0), as: UTF8.self) }
        #expect(answers == ["a", "b", "c"])
    }

    @Test(arguments: [
        ("refused", ControlError.Code.refused), ("unknown", .usage), ("bad-request", .usage), ("timeout", .timeout),
        ("failed", .failed), ("peer-restarted", .failed), ("cut", .failed),
    ])
    func error_hasTheExitStatusOfItsCode(_ word: String, _ code: ControlError.Code) throws {
        let nexusd = try StandInNexusd { frame in
            let payload = Array(#"{"code":"\#(word)","message":"no, because"}"#.utf8)
            return frame.header.kind == .request
                ? [Frame(.error, peer: .nexusd, id: frame.header.id, payload: payload)] : []
        }
        let connection = try ControlConnection(socket: nexusd.path)
        let error = #expect(throws: ControlError.self) { try connection.answer(to: connection.request("stop a")) }
        #expect(error?.code == code && error?.message == "no, because")
    }

    @Test func refusalAtTheDoor_isToldWhateverWasAsked() throws {
        let nexusd = try StandInNexusd { _ in
            let payload = Array(#"{"code":"refused","message":"uid 7 may not"}"#.utf8)
            return [Frame(.error, peer: .nexusd, id: .none, payload: payload)]
        }
        let connection = try ControlConnection(socket: nexusd.path)
        let error = #expect(throws: ControlError.self) { try connection.answer(to: connection.request("status")) }
        #expect(error?.exitStatus == 4)
    }

    @Test func refusalBeforeAnythingWasRead_isToldToo() throws {
        let payload = Array(#"{"code":"refused","message":"uid 7 may not"}"#.utf8)
        let nexusd = try StandInNexusd(
            garbage: Frame(.error, peer: .nexusd, id: .none, payload: payload).bytes, closesAtOnce: true)
        let connection = try ControlConnection(socket: nexusd.path)
        nexusd.waitForClose()
        let error = #expect(throws: ControlError.self) { try connection.answer(to: connection.request("status")) }
        #expect(error?.message == "uid 7 may not")
    }

    @Test func silence_endsAtTheDeadline() throws {
        let nexusd = try StandInNexusd { _ in [] }
        let connection = try ControlConnection(socket: nexusd.path)
        let id = connection.request("status")
        #expect(try connection.answerIfAny(to: id, until: ControlConnection.now() + 30) == nil)
        let error = #expect(throws: ControlError.self) {
            try connection.answer(to: id, until: ControlConnection.now() + 30)
        }
        #expect(error?.exitStatus == 5)
    }

    @Test func nobodyThere_isExitStatusThreeWithWordsWhatToDo() throws {
        let error = #expect(throws: ControlError.self) { try ControlConnection(socket: "/nonexistent/control.sock") }
        #expect(error?.exitStatus == 3 && error?.hint?.isEmpty == false)
        let long = #expect(throws: ControlError.self) {
            try ControlConnection(socket: "/" + String(repeating: "x", count: 200))
        }
        #expect(long?.exitStatus == 2)
    }

    @Test func streamOfAWorker_isGrantedCreditAgain() throws {
        let worker = PeerID(rawValue: 3)
        let granted = Box<[UInt8]>([])
        let nexusd = try StandInNexusd { frame in
            if frame.header.kind == .credit {
                granted.value = frame.payload
                return [Frame(.end, peer: worker, id: frame.header.id)]
            }
            guard frame.header.kind == .request else { return [] }
            return [Frame(.stream, peer: worker, id: frame.header.id, payload: [1, 2, 3])]
        }
        let connection = try ControlConnection(socket: nexusd.path)
        #expect(try connection.answer(to: connection.request([], to: worker)) == [1, 2, 3])
        // A frame costs its header too.
        #expect(granted.value == [0, 0, 0, 19])
    }

    @Test func callerThatPollsBeforeItAsksAgain_hasGrantedItsCredit() throws {
        let worker = PeerID(rawValue: 3)
        let nexusd = try StandInNexusd { frame in
            switch frame.header.kind {
            case .request:
                [Frame(.stream, peer: worker, id: frame.header.id, payload: [UInt8](repeating: 7, count: 2048))]
            case .credit: [Frame(.end, peer: worker, id: frame.header.id)]
            case _: []
            }
        }
        let connection = try ControlConnection(socket: nexusd.path)
        _ = connection.request([], to: worker)
        #expect(try connection.next(until: ControlConnection.now() + 10_000)?.header.kind == .stream)
        var descriptors = [pollfd(fd: connection.descriptor, events: Int16(POLLIN), revents: 0)]
        #expect(connection.hasFrame || poll(&descriptors, 1, 10_000) == 1, "the sender waits for credit for ever")
        #expect(try connection.next(until: ControlConnection.now() + 10_000)?.header.kind == .end)
    }

    @Test func garbage_isRefusedInWords() throws {
        let nexusd = try StandInNexusd(garbage: [UInt8](repeating: 0xFF, count: 64))
        let connection = try ControlConnection(socket: nexusd.path)
        let error = #expect(throws: ControlError.self) { try connection.answer(to: connection.request("status")) }
        #expect(error?.hint?.contains("version") == true)
    }
}

/// A value that a closure of a stand-in keeps; only its one thread touches it until the test looks, after an answer.
final class Box<Value>: @unchecked Sendable {
    // @unchecked: the answer on the socket orders the accesses.
    var value: Value

    init(_ value: Value) { self.value = value }
}

/// Listens like nexusd and answers each frame as the test says; for one client.
final class StandInNexusd: @unchecked Sendable {
    // @unchecked: `reads` is written by the one thread before it answers, and read by the test after the answer.
    let path = FileManager.default.temporaryDirectory.path + "/nexus-ctl-\(UInt32.random(in: 0 ... .max)).sock"
    private(set) var reads: [[Frame]] = []
    private let listener: Int32

    private let closed = DispatchSemaphore(value: 0)

    /// Returns when the client's connection was closed.
    func waitForClose() { closed.wait() }

    init(
        garbage: [UInt8] = [], closesAtOnce: Bool = false, answer: @escaping @Sendable (Frame) -> [Frame] = { _ in [] }
    ) throws {
        signal(SIGPIPE, SIG_IGN)
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(listener, 1) == 0 else { throw POSIXError(.EADDRINUSE) }
        let thread = Thread { [self] in serve(garbage, closesAtOnce, answer) }
        thread.start()
    }

    deinit { unlink(path) }

    private func serve(_ garbage: [UInt8], _ closesAtOnce: Bool, _ answer: (Frame) -> [Frame]) {
        let client = accept(listener, nil, nil)
        defer {
            close(client)
            close(listener)
            closed.signal()
        }
        if !garbage.isEmpty { _ = send(client, garbage, garbage.count, 0) }
        if closesAtOnce { return }
        var decoder = FrameDecoder()
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(client, &buffer, buffer.count)
            guard count > 0 else { return }
            var frames: [Frame] = []
            buffer[..<count].withUnsafeBytes { bytes in
                var rest = bytes
                while let frame = try? decoder.next(from: &rest) { frames.append(frame) }
            }
            reads.append(frames)
            let out = frames.flatMap(answer).flatMap(\.bytes)
            var sent = 0
            while sent < out.count {
                let count = out.withUnsafeBytes { send(client, $0.baseAddress.map { $0 + sent }, out.count - sent, 0) }
                guard count > 0 else { return }
                sent += count
            }
        }
    }
}
