import Foundation

// A file beside the store that tells that there is one: a store which is not there is else no other than one that never was.
extension StoreFile {
    // Not named like the store: it is to outlive whoever removes or moves that.
    var beginning: String { directory + "/begun" }

    /// A store was begun here.
    var hasMark: Bool { FileManager.default.fileExists(atPath: beginning) }

    /// One is. Where there is no room for it the next start writes it.
    func setMark() {
        guard !hasMark, (try? Self.create(beginning)) != nil else { return }
        let words = "Conversations were begun here. While \(path) is missing, chat-bridge says so when it starts.\n"
        try? Data(words.utf8).write(to: URL(fileURLWithPath: beginning))
        try? Self.sync(directory)
    }
}
