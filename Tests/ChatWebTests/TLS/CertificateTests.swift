import Foundation
import Glibc
import Synchronization
import Testing

@testable import ChatWeb

/// The page's certificate: made, kept, made anew; and what is served with it.
@Suite(.timeLimit(.minutes(2)))
struct CertificateTests {
    private let directory = FileManager.default.temporaryDirectory.path + "/nexus-tls-test-\(UUID().uuidString)"
    private let start = 1_790_000_000

    /// Names that a test changes.
    private final class Names: Sendable {
        private let names: Mutex<MachineNames>
        init(_ addresses: String...) { names = Mutex(Self.make(addresses)) }
        func set(_ addresses: String...) { names.withLock { $0 = Self.make(addresses) } }
        var now: MachineNames { names.withLock { $0 } }
        private static func make(_ addresses: [String]) -> MachineNames {
            MachineNames(own: "box", addresses: addresses.compactMap { Address($0) })
        }
    }

    private func make(_ names: Names, at now: Int, _ said: WebBox.Words = .init()) throws -> PageCertificate {
        try PageCertificate(.selfMade(directory: directory), names: { names.now }, now: now) { said.add($0) }
    }

    @Test func selfMade_isKept_forItsUserAlone() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let names = Names("192.0.2.5", "127.0.0.1", "2001:db8::5")
        let first = try make(names, at: start)
        #expect(first.fingerprint.wholeMatch(of: /([0-9A-F]{2}:){31}[0-9A-F]{2}/) != nil)
        #expect(first.ends == start + SelfMadeCertificate.lifetimeDays * 86_400)
        let file = directory + "/page.pem"
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["page.pem"])
        #expect(try make(names, at: start + 86_400).fingerprint == first.fingerprint)
        try Data("damaged".utf8).write(to: URL(fileURLWithPath: file))
        #expect(try make(names, at: start).fingerprint != first.fingerprint)
    }

    @Test func selfMade_isMadeAnewBeforeItEnds_andForANewAddress() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let names = Names("192.0.2.5", "127.0.0.1")
        let said = WebBox.Words()
        let certificate = try make(names, at: start, said)
        let first = certificate.fingerprint
        let due = start + (SelfMadeCertificate.lifetimeDays - SelfMadeCertificate.renewalDays) * 86_400
        try certificate.look(at: due - 60)
        #expect(certificate.fingerprint == first && said.all.count == 1)
        try certificate.look(at: due)
        let second = certificate.fingerprint
        #expect(second != first && certificate.ends > due + 300 * 86_400)
        names.set("192.0.2.6", "127.0.0.1")
        try certificate.look(at: due)
        #expect(certificate.fingerprint != second)
        #expect(
            said.all.count == 3 && said.all[2].contains("192.0.2.6") && said.all[2].contains(certificate.fingerprint))
        // One that cannot be replaced stays: the page goes on.
        let third = certificate.fingerprint
        try FileManager.default.removeItem(atPath: directory)
        try Data().write(to: URL(fileURLWithPath: directory))
        try certificate.look(at: certificate.ends)
        #expect(certificate.fingerprint == third && said.all.last?.contains("stays as it is") == true)
    }

    @Test func filesOfTheOwner_areReadAnewWhenTheyChange() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let names = MachineNames(own: "box", addresses: [])
        func write() throws {
            let pem = try SelfMadeCertificate.pem(for: names, serial: .random(in: 1...1000), now: start)
            try Data(pem).write(to: URL(fileURLWithPath: directory + "/own.pem"), options: .atomic)
        }
        try write()
        let source = PageCertificate.Source.files(certificate: directory + "/own.pem", key: directory + "/own.pem")
        let certificate = try PageCertificate(source, names: { names }, now: start) { _ in }
        let first = certificate.fingerprint
        try certificate.look(at: start)
        #expect(certificate.fingerprint == first && !certificate.isSelfMade)
        try write()
        try certificate.look(at: start)
        #expect(certificate.fingerprint != first)
    }

    @Test func filesThatComeLater_areReadThen() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let file = directory + "/late.pem"
        let settings = try #require(try WebSettings(listen: "127.0.0.1:0", url: nil, certificate: file, key: file))
        let certificate = PageCertificate(.files(certificate: file, key: file), for: settings) { _ in }
        #expect(certificate.context == nil)
        #expect(throws: PageCertificate.Failure.self) { try certificate.look(at: start) }
        let pem = try SelfMadeCertificate.pem(for: MachineNames(own: "box", addresses: []), serial: 1, now: start)
        try Data(pem).write(to: URL(fileURLWithPath: file))
        try certificate.look(at: start)
        #expect(certificate.context != nil)
    }

    @Test func filesThatAreNone_areRefusedInWords() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let names = MachineNames(own: "box", addresses: [])
        func refusal(_ certificate: String, _ key: String) -> String? {
            let source = PageCertificate.Source.files(certificate: directory + certificate, key: directory + key)
            return #expect(throws: PageCertificate.Failure.self) {
                try PageCertificate(source, names: { names }, now: start) { _ in }
            }?.description
        }
        for name in ["/one.pem", "/other.pem"] {
            let pem = try SelfMadeCertificate.pem(for: names, serial: 1, now: start)
            try Data(pem).write(to: URL(fileURLWithPath: directory + name))
        }
        try Data("hello".utf8).write(to: URL(fileURLWithPath: directory + "/words.pem"))
        #expect(refusal("/none.pem", "/one.pem")?.contains("/none.pem: No such file") == true)
        #expect(refusal("/words.pem", "/one.pem")?.contains("/words.pem") == true)
        #expect(refusal("/one.pem", "/words.pem")?.contains("/words.pem cannot be read as a private key") == true)
        #expect(refusal("/one.pem", "/other.pem")?.contains("do not fit") == true)
    }
}
