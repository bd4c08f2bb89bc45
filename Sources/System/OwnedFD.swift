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

/// Descriptors that came beside a message. Those nobody takes are closed: an unasked-for descriptor must not stay.
public struct FDBundle: ~Copyable, Sendable {
    private var numbers: [Int32]

    /// Takes ownership of open descriptors, in the order of the message.
    public init(owning numbers: [Int32] = []) { self.numbers = numbers }

    /// How many are left.
    public var count: Int { numbers.count }

    /// The next one, in the order in which they were sent.
    public mutating func take() -> OwnedFD? {
        numbers.isEmpty ? nil : OwnedFD(owning: numbers.removeFirst())
    }

    deinit {
        for number in numbers { _ = close(number) }
    }
}
