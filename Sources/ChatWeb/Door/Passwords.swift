import CSodium
import Chat
import Dispatch
import Foundation
import Synchronization

/// The slow hash of a password: Argon2id of libsodium, one at a time and off the loops that answer requests.
///
/// Only who holds a good pairing code gets here, so strangers cost no memory; at most `waitingLimit` wait.
final class Passwords: Sendable {
    /// Bytes of a password, after Unicode's normal form C.
    static let length = 8...256
    /// Bytes that one hash takes: the memory of Argon2id, a tenth of a small machine's.
    static let memoryBytes = 64 * 1_048_576
    /// Passes over that memory: about a tenth of a second.
    static let passes: UInt64 = 3
    /// Of those who wait for theirs.
    static let waitingLimit = 4

    private let queue = DispatchQueue(label: "passwords", qos: .utility)
    private let waiting = Mutex(0)

    init() { _ = sodium_init() }

    /// Keyboards compose letters in different ways; a password is the same on all. Nil: too short, or too long.
    static func normal(_ text: String) -> [UInt8]? {
        let bytes = Array(text.precomposedStringWithCanonicalMapping.utf8)
        return length.contains(bytes.count) && !bytes.contains(0) ? bytes : nil
    }

    /// The hash, with its salt and parameters, as libsodium writes it.
    func hash(_ password: [UInt8]) async throws(Refused) -> String {
        let hash: String? = try await inPlace { () async throws(Refused) in
            await run {
                var text = [CChar](repeating: 0, count: Int(crypto_pwhash_STRBYTES))
                let status = crypto_pwhash_str_alg(
                    &text, password.map { CChar(bitPattern: $0) }, UInt64(password.count), Self.passes,
                    Self.memoryBytes, crypto_pwhash_ALG_ARGON2ID13)
                return status == 0
                    ? String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
            }
        }
        guard let hash else {
            throw .store(ChatError(.failed, "there is no memory for the password's hash; try again"))
        }
        return hash
    }

    /// Whether it is that one. To be asked `inPlace`.
    func isRight(_ password: [UInt8], for hash: String) async -> Bool {
        await run {
            crypto_pwhash_str_verify(hash, password.map { CChar(bitPattern: $0) }, UInt64(password.count)) == 0
        }
    }

    /// Does something while it has one of the few places; throws where all are taken, before anything is done.
    func inPlace<Value: Sendable>(
        _ body: () async throws(Refused) -> Value
    ) async throws(Refused) -> Value {
        let hasRoom = waiting.withLock { count in
            guard count < Self.waitingLimit else { return false }
            count += 1
            return true
        }
        guard hasRoom else { throw .tooMany(.seconds(1)) }
        defer { waiting.withLock { $0 -= 1 } }
        return try await body()
    }

    private func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { done in queue.async { done.resume(returning: work()) } }
    }
}
