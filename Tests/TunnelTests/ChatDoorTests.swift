import Foundation
import Testing

@testable import Tunnel

/// What the chat's own socket says to somebody who was never let in.
@Suite(.timeLimit(.minutes(1))) struct ChatDoorTests {
    @Test(arguments: [("200 OK", true), ("401 Unauthorized", false)])
    func answerToAStranger_isAnOpening(_ status: String, _ isOpen: Bool) async throws {
        let chat = try PageServer(isSocket: true) { _, _ in PageServer.http(status) }
        let opening = await ChatDoor(socket: chat.place, host: "chat.example.invalid").opening()
        #expect((opening != nil) == isOpen)
        #expect(opening?.contains("nothing asks them for a pairing") ?? true)
    }

    @Test func chatThatIsNotThere_isNoOpening() async {
        #expect(await ChatDoor(socket: "/tmp/nexus-door-none.sock", host: "chat.example.invalid").opening() == nil)
    }
}
