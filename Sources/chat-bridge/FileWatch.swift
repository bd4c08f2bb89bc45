import Chat
import WorkerKit

/// Looks whether there is a place for files of messages. Without one chat-bridge serves everything else, and says so.
enum FileWatch {
    private static let pause: Duration = .seconds(5)

    /// Until its task is cancelled.
    static func run(_ store: ChatStore, _ status: StatusLine) async {
        var told: String?
        while !Task.isCancelled {
            let trouble = store.attachmentTrouble()
            if trouble != told {
                if let trouble { Log.error(trouble) } else { Log.notice("files can be attached again") }
                status.tell(files: trouble)
            }
            told = trouble
            try? await Task.sleep(for: pause)
        }
    }
}
