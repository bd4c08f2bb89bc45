import COpenSSL
import Glibc

/// A certificate that signs itself, by OpenSSL: for a page that is served at home, where nobody else would sign one.
enum SelfMadeCertificate {
    /// What it is good for: 397 days. Browsers refuse some that live longer than 398 (CA/Browser Forum, Baseline
    /// Requirements 6.3.2).
    static let lifetimeDays = 397
    /// It is made anew this many days before it ends.
    static let renewalDays = 30

    /// Why OpenSSL made none, in its own words.
    struct Failure: Error, CustomStringConvertible {
        let description: String

        init(_ what: String) {
            var text = [CChar](repeating: 0, count: 256)
            ERR_error_string_n(ERR_get_error(), &text, text.count)
            let words = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            description = "OpenSSL cannot \(what): \(words)"
        }
    }

    /// A new key on P-256 and a certificate for these names, as one PEM text: the key, then the certificate.
    /// - Parameter now: seconds since 1970; it is good from an hour before, for clocks that differ.
    static func pem(for names: MachineNames, serial: UInt64, now: Int) throws(Failure) -> [UInt8] {
        let key = try newKey()
        defer { EVP_PKEY_free(key) }
        guard let certificate = X509_new() else { throw Failure("make a certificate") }
        defer { X509_free(certificate) }
        var now = now
        let subject = X509_get_subject_name(certificate)
        let steps: [(String, Bool)] = [
            // Version 3 is written as 2 (RFC 5280, 4.1.2.1).
            ("set its version", X509_set_version(certificate, 2) == 1),
            ("set its number", ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) == 1),
            ("set its begin", X509_time_adj_ex(X509_getm_notBefore(certificate), 0, -3600, &now) != nil),
            ("set its end", X509_time_adj_ex(X509_getm_notAfter(certificate), Int32(lifetimeDays), 0, &now) != nil),
            ("set its key", X509_set_pubkey(certificate, key) == 1),
            (
                "set its name",
                X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, "Nexus on \(names.own)", -1, -1, 0) == 1
            ), ("set its issuer", X509_set_issuer_name(certificate, subject) == 1),
        ]
        for (what, isDone) in steps where !isDone { throw Failure(what) }
        try add(NID_basic_constraints, "critical,CA:FALSE", to: certificate)
        try add(NID_key_usage, "critical,digitalSignature", to: certificate)
        try add(NID_ext_key_usage, "serverAuth", to: certificate)
        let alternatives = names.hosts.map { "DNS:\($0)" } + names.addresses.map { "IP:\($0.text)" }
        try add(NID_subject_alt_name, alternatives.joined(separator: ","), to: certificate)
        guard X509_sign(certificate, key, EVP_sha256()) > 0 else { throw Failure("sign it") }
        return try text {
            PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) == 1 && PEM_write_bio_X509($0, certificate) == 1
        }
    }

    private static let MBSTRING_UTF8: Int32 = 0x1000

    private static func newKey() throws(Failure) -> OpaquePointer {
        var key: OpaquePointer?
        guard let context = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil) else { throw Failure("make a key") }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_keygen_init(context) == 1, EVP_PKEY_CTX_set_group_name(context, "P-256") == 1,
            EVP_PKEY_generate(context, &key) == 1, let key
        else { throw Failure("make a key") }
        return key
    }

    private static func add(_ extensionID: Int32, _ value: String, to certificate: OpaquePointer) throws(Failure) {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, certificate, certificate, nil, nil, 0)
        guard let made = X509V3_EXT_conf_nid(nil, &context, extensionID, value) else { throw Failure("take \(value)") }
        defer { X509_EXTENSION_free(made) }
        guard X509_add_ext(certificate, made, -1) == 1 else { throw Failure("add \(value)") }
    }

    private static func text(_ write: (OpaquePointer) -> Bool) throws(Failure) -> [UInt8] {
        guard let memory = BIO_new(BIO_s_mem()) else { throw Failure("write it") }
        defer { BIO_free(memory) }
        guard write(memory) else { throw Failure("write it") }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = BIO_read(memory, &buffer, Int32(buffer.count))
            guard count > 0 else { return text }
            text += buffer.prefix(Int(count))
        }
    }
}
