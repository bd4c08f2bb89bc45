import Foundation
import Glibc
import NIOCore
import NIOSSL
import Synchronization

/// The page's certificate: a self-made one, which is made anew before it ends, or one of the owner's, which is read anew
/// when its files change.
public final class PageCertificate: Sendable {
    /// Where it comes from.
    public enum Source: Hashable, Sendable {
        /// Made here, and kept with its key in this directory (`page.pem`, mode 0600).
        case selfMade(directory: String)
        /// PEM files: the certificate with its chain, and its key.
        case files(certificate: String, key: String)
    }

    /// Why there is none, in words.
    public struct Failure: Error, Hashable, CustomStringConvertible {
        /// The words.
        public let description: String
    }

    private struct Current {
        var context: NIOSSLContext
        var fingerprint: String
        /// Seconds since 1970.
        var ends: Int
        /// Names and addresses it holds for.
        var names: Set<String>
        /// Of the files it was read from, when they are the owner's.
        var stamps: [Stamp] = []
    }
    /// What changes when a file is written anew.
    private struct Stamp: Hashable {
        var inode: UInt64
        var size: Int64
        var seconds: Int
    }

    /// Where it comes from.
    public let source: Source
    private let names: @Sendable () -> MachineNames
    private let said: @Sendable (String) -> Void
    private let current: Mutex<Current?>

    /// Reads nothing yet: `look` does. `said` hears of each that is made or read anew.
    public init(_ source: Source, for settings: WebSettings, said: @escaping @Sendable (String) -> Void) {
        let address = Address(settings.host) ?? .loopback
        self.source = source
        names = { MachineNames(listening: address) }
        self.said = said
        current = Mutex(nil)
    }

    /// Reads it, or makes one.
    convenience init(
        _ source: Source, listening: String, said: @escaping @Sendable (String) -> Void
    ) throws(Failure) {
        guard let address = Address(listening) else {
            throw Failure(description: "'\(listening)' is no address")
        }
        try self.init(source, names: { MachineNames(listening: address) }, now: time(nil), said: said)
    }

    init(
        _ source: Source, names: @escaping @Sendable () -> MachineNames, now: Int,
        said: @escaping @Sendable (String) -> Void
    ) throws(Failure) {
        self.source = source
        self.names = names
        self.said = said
        current = Mutex(nil)
        try look(at: now)
    }

    /// For a new connection.
    var context: NIOSSLContext? { current.withLock { $0?.context } }

    /// SHA-256 of the certificate, as browsers show it: `AB:CD:…`.
    public var fingerprint: String { current.withLock { $0?.fingerprint ?? "" } }

    /// Seconds since 1970.
    var ends: Int { current.withLock { $0?.ends ?? 0 } }

    /// Whether browsers will ask their user about it.
    var isSelfMade: Bool {
        switch source {
        case .selfMade: true
        case .files: false
        }
    }

    /// Makes it anew when it is due, reads it anew when it changed. Throws only when there is none at all; what keeps an
    /// old one from being followed by a new one is said.
    func look(at now: Int) throws(Failure) {
        do {
            switch source {
            case .selfMade(let directory): try lookAtOwn(directory + "/page.pem", directory, now)
            case .files(let certificate, let key): try lookAtFiles(certificate, key)
            }
        } catch {
            let words = "\((error as? Failure)?.description ?? "\(error)")"
            guard current.withLock({ $0 != nil }) else { throw Failure(description: words) }
            said("the page's certificate stays as it is: \(words)")
        }
    }

    private func lookAtOwn(_ file: String, _ directory: String, _ now: Int) throws {
        let needed = names()
        if current.withLock({ $0 == nil }), let kept = try? Self.read(certificate: file, key: file) {
            current.withLock { $0 = kept }
        }
        if isFit(now, for: needed) { return }
        let serial = UInt64.random(in: 1...UInt64(Int64.max))
        let pem = try SelfMadeCertificate.pem(for: needed, serial: serial, now: now)
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try Self.write(pem, to: file)
        let made = try Self.read(certificate: file, key: file)
        current.withLock { $0 = made }
        let all = needed.hosts + needed.addresses.map(\.text)
        said("a certificate was made for \(all.joined(separator: ", ")); SHA-256 \(made.fingerprint)")
    }

    /// Whether the one there is does for all names, long enough.
    private func isFit(_ now: Int, for needed: MachineNames) -> Bool {
        current.withLock { current in
            guard let current, current.ends - now > SelfMadeCertificate.renewalDays * 86_400 else { return false }
            let covered = current.names
            return Set(needed.hosts).isSubset(of: covered) && Set(needed.addresses.map(\.text)).isSubset(of: covered)
        }
    }

    private func lookAtFiles(_ certificate: String, _ key: String) throws {
        let stamps = try [certificate, key].map(Self.stamp)
        if current.withLock({ $0?.stamps == stamps }) { return }
        var read = try Self.read(certificate: certificate, key: key)
        read.stamps = stamps
        let isFirst = current.withLock { current in
            defer { current = read }
            return current == nil
        }
        if !isFirst { said("the certificate in \(certificate) was read anew; SHA-256 \(read.fingerprint)") }
    }

    private static func read(certificate: String, key: String) throws -> Current {
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMFile(certificate)
        } catch {
            throw Failure(
                description: "\(certificate) cannot be read as a certificate in PEM: \(reason(certificate, error))")
        }
        guard let first = chain.first else { throw Failure(description: "\(certificate) holds no certificate") }
        let privateKey: NIOSSLPrivateKey
        do {
            privateKey = try NIOSSLPrivateKey(file: key, format: .pem)
        } catch {
            throw Failure(description: "\(key) cannot be read as a private key in PEM: \(reason(key, error))")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        let context: NIOSSLContext
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw Failure(description: "the certificate in \(certificate) and the key in \(key) do not fit: \(error)")
        }
        let hash = Secrets.hash(bytes: try first.toDERBytes())
        let fingerprint = hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined(
            separator: ":")
        return Current(
            context: context, fingerprint: fingerprint, ends: first.notValidAfter, names: names(of: first))
    }

    /// What the disk says, when that is the reason.
    private static func reason(_ file: String, _ error: any Error) -> String {
        access(file, R_OK) == 0 ? "\(error)" : String(cString: strerror(errno))
    }

    private static func names(of certificate: NIOSSLCertificate) -> Set<String> {
        Set(
            certificate._subjectAlternativeNames().compactMap { name in
                let bytes = Array(name.contents)
                switch name.nameType {
                case .dnsName: return String(decoding: bytes, as: UTF8.self)
                case .ipAddress: return Address(bytes: bytes)?.text
                case _: return nil
                }
            })
    }

    private static func stamp(_ file: String) throws -> Stamp {
        var status = stat()
        guard stat(file, &status) == 0 else {
            throw Failure(description: "\(file): \(String(cString: strerror(errno)))")
        }
        return Stamp(inode: UInt64(status.st_ino), size: Int64(status.st_size), seconds: status.st_mtim.tv_sec)
    }

    /// Whole or not at all, and never readable for others.
    private static func write(_ bytes: [UInt8], to file: String) throws {
        let fresh = file + ".new"
        unlink(fresh)
        let descriptor = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(description: "\(fresh): \(String(cString: strerror(errno)))") }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try handle.write(contentsOf: bytes)
        try handle.synchronize()
        guard rename(fresh, file) == 0 else {
            throw Failure(description: "\(file): \(String(cString: strerror(errno)))")
        }
    }
}
