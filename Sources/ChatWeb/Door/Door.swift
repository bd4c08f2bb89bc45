public import Chat
import Foundation
import Synchronization

/// Who may come in: gives out codes, takes them back for tokens, knows devices by their tokens.
public final class Door: Sendable {
    /// Wrong codes of one address that are answered and logged: 10 at once, then one each 6 s. It keeps the log short; what
    /// makes guessing hopeless is how many codes there are (`PairingCodes.length`).
    static let codeTries = (capacity: 10.0, perSecond: 1.0 / 6)
    /// Requests without a good token that one address may make: 30 at once, then one a second.
    static let strangerTries = (capacity: 30.0, perSecond: 1.0)
    /// Requests that one device may make: 120 at once, then 20 a second.
    static let deviceRequests = (capacity: 120.0, perSecond: 20.0)
    /// Bytes of a device's name.
    static let nameLimit = 64

    private struct State {
        var codes = PairingCodes()
        var codeTries = TokenBuckets<AddressGroup>(capacity: Door.codeTries.0, perSecond: Door.codeTries.1)
        var strangers = TokenBuckets<AddressGroup>(capacity: Door.strangerTries.0, perSecond: Door.strangerTries.1)
        /// Codes beside which a password is being looked at.
        var checked: Set<String> = []
        var devices = TokenBuckets<DeviceID>(capacity: Door.deviceRequests.0, perSecond: Door.deviceRequests.1)
    }

    private let store: ChatStore
    private let audit: @Sendable (String) -> Void
    private let state = Mutex(State())
    let passwords = Passwords()
    let streams = LiveStreams()

    /// On a store; `audit` gets one line for each thing that changes who may come in.
    public init(store: ChatStore, audit: @escaping @Sendable (String) -> Void) {
        self.store = store
        self.audit = audit
    }

    /// A code that lets one device in within ten minutes, and whether the oldest one had to end for it.
    func issue(_ role: DeviceRole, by whom: String) -> (code: String, endsOldest: Bool) {
        var generator = SystemRandomNumberGenerator()
        let made = state.withLock { $0.codes.issue(role, at: .now, using: &generator) }
        audit("a pairing code for one \(role.rawValue) device was made by \(whom)")
        return made
    }

    /// Takes a code and gives the device its pass, which nobody can learn again.
    /// - Parameters:
    ///   - password: needed when there is one; a code takes a few wrong ones.
    ///   - sharesCookie: other programs may get the cookie: it is to be half of what lets the browser in.
    func pair(
        code: String, password: String?, name: String, address: String, sharesCookie: Bool
    ) async throws(Refused) -> (device: Device, pass: Pass) {
        let pass = Pass.random(withKey: sharesCookie)
        if let back = try await comeBack(code: code, password: password, address: address, pass) {
            return (back, pass)
        }
        // A good code is known before any limit is asked: whatever else comes from the same address keeps it from nothing.
        guard state.withLock({ $0.codes.isGood(code, at: .now) }) else { throw wrong(from: address) }
        try await check(password, beside: code, from: address) {
            state.withLock { $0.codes.tryPassword(code, at: .now) }
        }
        // Spent before the store is asked, so that it lets in one at a time; where that fails it lets in nobody.
        guard let spent = state.withLock({ $0.codes.take(code, at: .now) }) else { throw wrong(from: address) }
        var generator = SystemRandomNumberGenerator()
        let now = Int64((Date().timeIntervalSince1970 * 1000).rounded())
        let device = Device(
            id: .random(using: &generator), name: Self.clean(name), role: spent.role, created: now, seen: now,
            address: address, keyHash: pass.keyHash)
        do {
            try await stored { try await $0.add(device, tokenHash: pass.tokenHash) }
        } catch {
            state.withLock { $0.codes.putBack(spent) }
            throw error
        }
        audit("device \(device.id) '\(device.name)' was paired as \(device.role.rawValue) from \(address)")
        return (device, pass)
    }

    /// Why a code that lets nobody in is refused. Above the limit it is the same refusal without a line in the log.
    private func wrong(from address: String) -> Refused {
        if let wait = state.withLock({ $0.codeTries.take(AddressGroup(address), at: .now) }) { return .tooMany(wait) }
        audit("a wrong, old or spent pairing code came from \(address)")
        return .code
    }

    /// A device that is known, by a code of its own (`ReturnCode`): it keeps its name, its role and what it is told. Nil: the
    /// code is none of those.
    private func comeBack(
        code: String, password: String?, address: String, _ pass: Pass
    ) async throws(Refused) -> Device? {
        let code = ReadableText.meant(code)
        // The store is not asked about what can be none.
        guard code.utf8.count == ReturnCode.length else { return nil }
        let hash = Secrets.hash(code)
        guard try await stored({ try await $0.returning(codeHash: hash) }) != nil else { return nil }
        try await check(password, beside: code, from: address) { () async throws(Refused) in
            try await stored { try await $0.tryPassword(beside: hash) }
        }
        let back = try await stored {
            try await $0.readmit(
                codeHash: hash, tokenHash: pass.tokenHash, keyHash: pass.keyHash, address: address)
        }
        // Spent by somebody else since.
        guard let back else { throw .code }
        // Whoever has the token of before is nobody by now.
        streams.end(of: back.id, .unknown)
        audit(
            "device \(back.id) '\(back.name)' came back as \(back.role.rawValue) by a link of its own from \(address)")
        return back
    }

    /// Nobody gets here without a good code: what the hash costs is no stranger's to spend.
    /// - Parameter take: takes one of the code's tries; false: it has none left.
    private func check(
        _ password: String?, beside code: String, from address: String, take: () async throws(Refused) -> Bool
    ) async throws(Refused) {
        guard let hash = try await stored({ try await $0.passwordHash() }) else { return }
        guard let password, !password.isEmpty else { throw .password(isMissing: true) }
        // One at a time: of right ones that come at once none is to count as wrong.
        let code = ReadableText.meant(code)
        guard state.withLock({ $0.checked.insert(code).inserted }) else { throw .tooMany(.seconds(1)) }
        defer { state.withLock { _ = $0.checked.remove(code) } }
        // Who finds no place has not tried.
        try await passwords.inPlace { () async throws(Refused) in
            // Taken before the hash is made: who leaves meanwhile has tried.
            guard try await take() else {
                audit(
                    "a pairing code ended after \(PairingCodes.passwordTries) wrong passwords, the last one from \(address)"
                )
                throw .code
            }
            if let bytes = Passwords.normal(password), await passwords.isRight(bytes, for: hash) { return }
            audit("a wrong password came with a good pairing code from \(address)")
            throw .password(isMissing: false)
        }
    }

    private func stored<Value: Sendable>(
        _ body: (ChatStore) async throws -> Value
    ) async throws(Refused) -> Value {
        do { return try await body(store) } catch {
            // Never as SQLite says it, with the statement and what was in it.
            throw .store(error as? ChatError ?? ChatError(unforeseen: error, store: store.path))
        }
    }

    /// Whether a browser needs a password beside a code.
    func hasPassword() async throws(Refused) -> Bool { try await stored { try await $0.passwordHash() } != nil }

    /// Sets the password, or takes it away.
    func setPassword(_ password: String?, by whom: String) async throws {
        guard let password else {
            try await store.setPassword(hash: nil)
            return audit("the password was taken away by \(whom)")
        }
        guard let bytes = Passwords.normal(password) else {
            throw ChatError(
                .badRequest,
                "a password has \(Passwords.length.lowerBound) to \(Passwords.length.upperBound) bytes and no NUL")
        }
        let hash: String
        do {
            hash = try await passwords.hash(bytes)
        } catch {
            throw ChatError(.failed, WebError(error).message)
        }
        try await store.setPassword(hash: hash)
        audit("the password was set by \(whom)")
    }

    /// Whose token that is.
    /// - Parameter key: what came beside the cookie; nil: what is asked for is given to the cookie alone.
    func admit(token: String?, key: String?, address: String) async throws(Refused) -> Device {
        var device: Device?
        if let token, Pass.mayBe(token) {
            device = try await stored { try await $0.device(tokenHash: Secrets.hash(token), address: address) }
        }
        if let key, let needed = device?.keyHash, !Pass.mayBe(key) || Secrets.hash(key) != needed { device = nil }
        // Known devices are never refused for what others do from the same address.
        guard let device else {
            if let wait = state.withLock({ $0.strangers.take(AddressGroup(address), at: .now) }) {
                throw .tooMany(wait)
            }
            throw .unpaired(try await whyUnpaired(token))
        }
        if let wait = state.withLock({ $0.devices.take(device.id, at: .now) }) { throw .tooMany(wait) }
        return device
    }

    /// What is known of a token that lets nobody in.
    private func whyUnpaired(_ token: String?) async throws(Refused) -> Unpaired {
        guard let token else { return .noToken }
        return try await stored { try await $0.isRevoked(tokenHash: Secrets.hash(token)) } ? .revoked : .unknown
    }

    /// A line of the log that is about who may come in.
    func say(_ line: String) { audit(line) }

    /// All devices.
    func devices() async throws -> [Device] { try await store.devices() }

    /// An answer to a device is over, which may have been open for hours.
    func saw(_ id: DeviceID) async { await store.saw(id) }

    /// Shuts a device out, at once, also in the middle of an answer.
    func revoke(_ id: DeviceID, by whom: String) async throws {
        try await store.revoke(id)
        streams.end(of: id, .revoked)
        audit("device \(id) was revoked by \(whom)")
    }

    /// A name fit for a table and a log line.
    private static func clean(_ name: String) -> String {
        let kept = name.unicodeScalars.filter { !$0.properties.generalCategory.isControl }
        var text = String(String.UnicodeScalarView(kept)).trimmingCharacters(in: .whitespaces)
        while text.utf8.count > nameLimit { text.removeLast() }
        return text.isEmpty ? "a browser" : text
    }
}

/// Why somebody may not come in.
enum Refused: Error, Hashable {
    /// No token, or one that lets nobody in.
    case unpaired(Unpaired)
    /// The code lets nobody in.
    case code
    /// The code is good, and needs the password beside it.
    case password(isMissing: Bool)
    /// Too often; after this it may be tried again.
    case tooMany(Duration)
    /// The store failed, or what was asked of it.
    case store(ChatError)
}

/// Why a browser is none of our devices; as the page is told it, which keeps or forgets what it holds by that.
enum Unpaired: String, Hashable, Sendable {
    /// It was never let in, or has forgotten it.
    case noToken = "no-token"
    /// It was shut out.
    case revoked
    /// It was let in once, and this store does not know it: the store is a new one, or the device was away for too long.
    case unknown
}

extension Unicode.GeneralCategory {
    /// Characters that show nothing, or change how others are shown.
    fileprivate var isControl: Bool {
        switch self {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: true
        case _: false
        }
    }
}
