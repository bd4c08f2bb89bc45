import CNexus

/// A file descriptor that closes itself. Not copyable: a leak or a double close does not compile.
public struct OwnedFD: ~Copyable, Sendable {
    /// The number, valid while this value lives.
    public let raw: Int32

    /// Takes ownership of an open descriptor.
    public init(owning raw: Int32) { self.raw = raw }

    /// Gives ownership away: the descriptor stays open.
    public consuming func release() -> Int32 {
        let number = raw
        discard self
        return number
    }

    // close(2) is never repeated on EINTR: on Linux the descriptor is gone either way.
    deinit { _ = close(raw) }
}
