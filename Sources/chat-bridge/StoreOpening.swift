import Chat
import Foundation
import WorkerKit

/// How chat-bridge gets at its store.
enum StoreOpening {
    private static let pause: Duration = .seconds(5)

    /// The store in `--directory DIR`, or where Supervisor.toml's `state-directory` says. A disk that is full, or a store that
    /// another program keeps from everybody, is waited for, with the reason for whoever asks: no new start would change it.
    /// `isReady`: that was said already.
    static func open(_ process: ProcessInfo, _ bus: Bus) async throws -> (store: ChatStore, isReady: Bool) {
        let directory = try directory(process)
        var told: String?
        while true {
            do {
                let store = try ChatStore(directory: directory)
                say(store)
                return (store, told != nil)
            } catch let refusal as StoreRefusal {
                throw Worker.ConfigurationError(refusal.description)
            } catch {
                guard let why = ChatStore.obstacle(error, in: directory) else { throw error }
                if why != told {
                    Log.warning(why)
                    bus.status(why)
                    bus.serve { _, responder in
                        await responder.fail(.unavailable, "\(why); it is tried again every 5 s")
                    }
                    if told == nil { bus.ready() }
                }
                told = why
                try await Task.sleep(for: pause)
            }
        }
    }

    private static func directory(_ process: ProcessInfo) throws -> String {
        let arguments = process.arguments.dropFirst()
        var directory = process.environment["STATE_DIRECTORY"]
        if let first = arguments.first {
            guard first == "--directory", arguments.count == 2 else {
                throw Worker.ConfigurationError("usage: chat-bridge [--directory DIR]")
            }
            directory = arguments.last
        }
        guard let directory, directory.hasPrefix("/") else {
            throw Worker.ConfigurationError(
                "no place for the conversations: set state-directory = \"chat\" in [child.chat-bridge]")
        }
        return directory
    }

    /// What was found in it.
    private static func say(_ store: ChatStore) {
        if let damage = store.damage {
            Log.warning(
                "the conversations in \(store.path) were damaged (\(damage)); the file is kept as \(store.movedAside ?? "?"), "
                    + "a new one begun. Devices that were paired are not known any more; "
                    + (store.hasKeptPassword
                        ? "the password is what it was" : "no password was kept, so a pairing code is enough"))
        } else if let aside = store.movedAside {
            Log.notice("a damaged store is still kept as \(aside); take it away when you do not want it any more")
        }
        if let lost = store.lostLog {
            Log.warning(lost)
            store.forgetLoss()
        }
        if let end = store.restoreEnd { say(end) }
        if store.isMissing {
            Log.warning(
                "\(store.path), which held the conversations, is gone: it, or the log beside it (-wal), was removed, moved or emptied "
                    + "while chat-bridge did not run. A new one is begun. Devices that were paired are not known any more; "
                    + (store.hasKeptPassword ? "the password is what it was. " : "no password was kept. ")
                    + "To have them back: stop chat-bridge, put the file in its place, start it; or nexusctl chat restore FILE"
            )
        }
        if store.hasNewIndex { Log.warning("the index for searching was damaged and was made anew; no text is lost") }
    }

    private static func say(_ end: RestoreEnd) {
        guard let kept = end.kept else {
            return Log.warning(
                "a restore was cut off before the backup was in place: the conversations are those from before it, whole and "
                    + "unchanged. To have the backup: nexusctl chat restore FILE, once more")
        }
        Log.notice("a backup was restored: the conversations are its own, and those from before are kept as \(kept)")
    }
}
