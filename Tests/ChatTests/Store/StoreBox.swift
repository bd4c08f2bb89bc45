import Chat
import Foundation

/// A store in a directory of its own, which goes with the value.
final class StoreBox {
    let directory: String
    private(set) var store: ChatStore

    init() throws {
        directory = FileManager.default.temporaryDirectory.path + "/nexus-chat-test-\(UUID().uuidString)"
        store = try ChatStore(directory: directory)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// What a crash does: the next process opens the same file.
    func reopen() throws { store = try ChatStore(directory: directory) }

    func accept(
        _ text: String, in session: SessionID? = nil, client: String = UUID().uuidString,
        before: EventNumber = .start, workspace: String? = nil, workspaces: Workspaces = Workspaces(names: ["home"])
    ) async throws -> ChatTurn {
        var generator = SystemRandomNumberGenerator()
        return try await store.accept(
            Submission(session: session, workspace: workspace, text: text, clientID: client),
            newSession: .random(using: &generator), before: before, workspaces: workspaces
        ).turn
    }

    /// The stored events of a session as dictionaries.
    func events(_ session: SessionID, after: EventNumber = .start) async throws -> [[String: Any]] {
        var all: [[String: Any]] = []
        var after = after
        while let page = try await store.page(of: session, after: after) {
            all += try await page.frames.map(Self.object)
            after = page.upTo
        }
        return all
    }

    static func object(_ json: [UInt8]) throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any] ?? [:]
    }
}

extension ChatStore.Page {
    /// As the bus has them.
    var frames: [[UInt8]] {
        get async {
            var frames: [[UInt8]] = []
            for told in events {
                switch told {
                case .asStored(let frame): frames.append(frame)
                case .toWrite(let event): frames += await ChatService.Line.plain(event)
                }
            }
            return frames
        }
    }
}
