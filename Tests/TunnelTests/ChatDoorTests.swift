import Foundation
import Testing

@testable import Tunnel

/// What the chat's own socket says to somebody who was never let in.
@Suite(.timeLimit(.minutes(1))) struct ChatDoorTests {
    @Test(arguments: [("200 OK", true), ("401 Unauthorized", false)])
    func answerToAStranger_isAnOpening(_ status: String, _ isOpen: Bool) async throws {
        let chat = try PageServer(isSocket: true) { _, _ in PageServer.http(status) }
        let look = await ChatDoor(socket: chat.place, host: "chat.example.invalid").look()
        #expect(look == (isOpen ? .open("the chat answers to strangers: nothing asks them for a pairing") : .shut))
    }

    @Test func chatThatIsNotThere_isNoOpening() async {
        let look = await ChatDoor(socket: "/tmp/nexus-door-none.sock", host: "chat.example.invalid").look()
        #expect(look == .unseen)
        #expect(look.and(.shut) == .unseen && look.and(.open("x")) == .open("x") && DoorLook.shut.and(.shut) == .shut)
    }
}

/// What the agent's own port says to somebody without its password.
@Suite(.timeLimit(.minutes(1))) struct AgentDoorTests {
    /// Whether it has the path that is asked for is nothing to go by: only who asks for a password keeps others out.
    @Test(arguments: [
        ("200 OK", true), ("404 Not Found", true), ("302 Found", true), ("500 Internal Server Error", true),
        ("401 Unauthorized", false), ("403 Forbidden", false),
    ]) func answerWithoutAPassword_isAnOpening(_ status: String, _ isOpen: Bool) async throws {
        let agent = try PageServer(isSocket: false) { _, _ in PageServer.http(status) }
        let port = try #require(agent.place.split(separator: ":").last.flatMap { UInt16($0) })
        let words = "the agent answers without a password: OPENCODE_SERVER_PASSWORD in its environment"
        #expect(await AgentDoor.look(port: port) == (isOpen ? .open(words) : .shut))
    }
}
