import COpenSSL
import Cryptography
import Glibc

/// A certificate that signs itself, by OpenSSL: for a page that is served at home, where nobody else would sign one.
enum SelfMadeCertificate {
    /// What it is good for: 397 days. Browsers refuse some that live longer than 398 (CA/Browser Forum, Baseline
    /// Requirements 6.3.2).
    static let lifetimeDays = 397
    /// It is made anew this many days before it ends.
    static let renewalDays = 30

    /// A new key on P-256 and a certificate for these names, as one PEM text: the key, then the certificate.
    /// - Parameter now: seconds since 1970; it is good from an hour before, for clocks that differ.
    static func pem(for names: MachineNames, serial: UInt64, now: Int) throws(CryptographyFailure) -> [UInt8] {
        let key = try P256Key()
        guard let certificate = X509_new() else { throw CryptographyFailure("make a certificate") }
        defer { X509_free(certificate) }
        var now = now
        let subject = X509_get_subject_name(certificate)
        let steps: [(String, Bool)] = [
            // Version 3 is written as 2 (RFC 5280, 4.1.2.1).
            ("set its version", X509_set_version(certificate, 2) == 1),
            ("set its number", ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) == 1),
            ("set its begin", X509_time_adj_ex(X509_getm_notBefore(certificate), 0, -3600, &now) != nil),
            ("set its end", X509_time_adj_ex(X509_getm_notAfter(certificate), Int32(lifetimeDays), 0, &now) != nil),
            ("set its key", key.withHandle { X509_set_pubkey(certificate, $0) == 1 }),
            (
                "set its name",
                X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, "Nexus on \(names.own)", -1, -1, 0) == 1
            ), ("set its issuer", X509_set_issuer_name(certificate, subject) == 1),
        ]
        for (what, isDone) in steps where !isDone { throw CryptographyFailure(what) }
        try add(NID_basic_constraints, "critical,CA:FALSE", to: certificate)
        try add(NID_key_usage, "critical,digitalSignature", to: certificate)
        try add(NID_ext_key_usage, "serverAuth", to: certificate)
        let alternatives = names.hosts.map { "DNS:\($0)" } + names.addresses.map { "IP:\($0.text)" }
        try add(NID_subject_alt_name, alternatives.joined(separator: ","), to: certificate)
        guard key.withHandle({ X509_sign(certificate, $0, EVP_sha256()) > 0 }) else {
            throw CryptographyFailure("sign it")
        }
        return try text { memory in
            key.withHandle { PEM_write_bio_PrivateKey(memory, $0, nil, nil, 0, nil, nil) == 1 }
                && PEM_write_bio_X509(memory, certificate) == 1
        }
    }

    private static let MBSTRING_UTF8: Int32 = 0x1000

    private static func add(_ extensionID: Int32, _ value: String, to certificate: OpaquePointer)
        throws(CryptographyFailure)
    {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, certificate, certificate, nil, nil, 0)
        guard let made = X509V3_EXT_conf_nid(nil, &context, extensionID, value) else {
            throw CryptographyFailure("take \(value)")
        }
        defer { X509_EXTENSION_free(made) }
        guard X509_add_ext(certificate, made, -1) == 1 else { throw CryptographyFailure("add \(value)") }
    }

    private static func text(_ write: (OpaquePointer) -> Bool) throws(CryptographyFailure) -> [UInt8] {
        guard let memory = BIO_new(BIO_s_mem()) else { throw CryptographyFailure("write it") }
        defer { BIO_free(memory) }
        guard write(memory) else { throw CryptographyFailure("write it") }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = BIO_read(memory, &buffer, Int32(buffer.count))
            guard count > 0 else { return text }
            text += buffer.prefix(Int(count))
        }
    }
}
