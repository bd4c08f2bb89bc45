import System

/// The state directory as nexusd itself uses it: nobody else may write to it, and no second nexusd may use it, whatever its
/// runtime directory. It also keeps the second of the last start, so that no run id is given twice.
final class StateDirectory {
    /// The upper half of every run id of this life: CLOCK_REALTIME, or one more than the last one where the clock was set
    /// back or nexusd was started twice in a second.
    let second: UInt32
    /// What could not be kept there: a disk that is full or cannot be written to must not keep the tree down.
    let trouble: String?
    private let lock: InstanceLock?

    /// Makes it if it is not there, checks it, takes its lock. Only another nexusd that holds it is a refusal.
    /// `held`: this process has the lock already.
    init(_ kernel: any Kernel, path: String, held: InstanceLock? = nil) throws {
        try Self.check(kernel, path)
        var trouble: [String] = []
        do throws(InstanceLock.Refusal) {
            if let held { lock = held } else { lock = try InstanceLock(kernel, path: path + "/nexusd.lock") }
        } catch {
            guard case .failed(let errno) = error else { throw error }
            lock = nil
            trouble.append(
                "\(path)/nexusd.lock: \(errno), so that a second nexusd would not be noticed; \(errno.remedy).")
        }
        let file = path + "/last-second"
        let (last, damage) = Self.lastSecond(kernel, file)
        second = Self.second(clock: kernel.wallClock(), last: last)
        do {
            try kernel.replaceFile(file, with: Array("\(second)\n".utf8), mode: 0o600)
            if let damage {
                trouble.append(
                    "\(file) \(damage), so it was replaced: it keeps run ids from coming twice when the clock is set back; "
                        + "if it was set back since the last start, ids of that time may come again.")
            }
        } catch {
            trouble.append(
                "\(kernel.displaced(file) ?? file): \(error); \(error.remedy). Until then run ids may come twice if the clock"
                    + " is set back.")
        }
        self.trouble = trouble.isEmpty ? nil : trouble.joined(separator: " ")
    }

    /// Of the lock; -1 without one.
    var descriptor: Int32 { lock?.descriptor ?? -1 }

    /// What the file says, or why that is not known; neither at the first start.
    private static func lastSecond(_ kernel: any Kernel, _ file: String) -> (last: UInt64?, damage: String?) {
        do {
            let content = try kernel.readFile(file, limit: 32)
            if content.isEmpty { return (nil, "is empty") }
            guard content.last == UInt8(ascii: "\n"), let last = decimal(content.dropLast()), last < UInt64(UInt32.max)
            else {
                return (nil, "is damaged")
            }
            return (last, nil)
        } catch {
            switch error {
            case .noEntry: return (nil, nil)
            case .invalid: return (nil, "is no regular file")
            case .tooLarge: return (nil, "is damaged")
            case _: return (nil, "cannot be read (\(error))")
            }
        }
    }

    static func second(clock: Int64, last: UInt64?) -> UInt32 {
        let now = UInt32(clamping: clock / 1_000_000_000)
        guard let last, last < UInt64(UInt32.max) else { return now }
        return max(now, UInt32(last) + 1)
    }

    private static func check(_ kernel: any Kernel, _ path: String) throws(PlaceError) {
        let status: FileStatus
        do {
            if (try? kernel.status(path, followingLinks: true)) == nil {
                try RuntimeDirectory.make(path, mode: kernel.userID() == 0 ? 0o711 : 0o700, kernel)
            }
            status = try kernel.status(path, followingLinks: true)
        } catch let error as PlaceError {
            throw error
        } catch {
            throw PlaceError(path: path, problem: "\(error)", isRefused: false, hint: "choose another one with --state")
        }
        guard status.kind == .directory else {
            throw PlaceError(
                path: path, problem: "is no directory", hint: "remove it, or choose another one with --state")
        }
        guard let words = status.distrust(by: kernel) else { return }
        throw PlaceError(
            path: path, problem: "\(words): others could put a plan, logs or links there",
            hint: "chown it to uid \(kernel.userID()) and chmod go-w it, or choose another one with --state")
    }
}

extension FileStatus {
    /// Who else than root and nexusd's user could have written this; nil: nobody.
    func distrust(by kernel: any Kernel) -> String? {
        let bits = "mode 0\(String(mode, radix: 8))"
        if user != 0, user != kernel.userID() { return "belongs to uid \(user) with \(bits)" }
        if mode & 0o002 != 0 { return "may be written by everybody (\(bits))" }
        if mode & 0o020 != 0, group != 0, group != kernel.groupID() {
            return "may be written by group \(group) (\(bits))"
        }
        return nil
    }
}
