import Foundation
import Testing

@testable import Tunnel

/// What the chat's own socket says to somebody who was never let in.
@Suite(.timeLimit(.minutes(1))) struct ChatDoorTests {
    @Test(arguments: [("200 OK", true), ("401 Unauthorized", false)])
    func answerToAStranger_isAnOpening(_ status: String, _ isOpen: Bool) async throws {
        let path = "/tmp/nexus-door-\(getpid())-\(status.prefix(3)).sock"
        unlink(path)
        defer { unlink(path) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let isBound = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        try #require(isBound && listen(descriptor, 1) == 0)
        let server = Thread {
            let visitor = accept(descriptor, nil, nil)
            guard visitor >= 0 else { return }
            var asked = [UInt8](repeating: 0, count: 4096)
            _ = recv(visitor, &asked, asked.count, 0)
            let answer = Array("HTTP/1.1 \(status)\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}".utf8)
            _ = send(visitor, answer, answer.count, Int32(MSG_NOSIGNAL))
            close(visitor)
        }
        server.start()
        let opening = await ChatDoor(socket: path, host: "chat.example.invalid").opening()
        #expect((opening != nil) == isOpen)
        #expect(opening?.contains("nothing asks them for a pairing") ?? true)
    }

    @Test func chatThatIsNotThere_isNoOpening() async {
        #expect(await ChatDoor(socket: "/tmp/nexus-door-none.sock", host: "chat.example.invalid").opening() == nil)
    }
}
