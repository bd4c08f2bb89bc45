import COpenSSL

/// Bytes that nobody else may know: they lie in one place and are overwritten when the last holder lets go.
///
/// @unchecked Sendable: they are written before anybody else has them, and never again.
public final class SecretBytes: @unchecked Sendable {
    private let bytes: UnsafeMutableBufferPointer<UInt8>

    /// A copy; what it was copied from is the caller's.
    public init(_ source: some Collection<UInt8>) {
        bytes = .allocate(capacity: source.count)
        _ = bytes.initialize(from: source)
    }

    /// As many bytes as `fill` says are needed.
    init(count: Int, fill: (UnsafeMutablePointer<UInt8>?) -> Bool, else what: String) throws(CryptographyFailure) {
        bytes = .allocate(capacity: count)
        bytes.initialize(repeating: 0)
        guard fill(bytes.baseAddress) else { throw CryptographyFailure(what) }
    }

    deinit {
        OPENSSL_cleanse(bytes.baseAddress, bytes.count)
        bytes.deallocate()
    }

    /// How many.
    public var count: Int { bytes.count }

    /// Lends them; the pointer is good inside of `body` only.
    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeBufferPointer(bytes))
    }
}
