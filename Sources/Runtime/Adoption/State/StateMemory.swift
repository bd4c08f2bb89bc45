import SupervisorCore
import System
import Wire

/// The memory in which the state outlives nexusd: a heading, and two slots that are written in turn, each with its
/// generation and a checksum. Whoever is killed while it writes one leaves the other.
final class StateMemory {
    let fd: OwnedFD
    private let kernel: any Kernel
    private var generation: UInt64 = 0
    /// Restores since a nexusd has lived for long enough.
    private(set) var restores: UInt32 = 0

    /// The heading of a slot, before its bytes.
    static let headingBytes = 40
    /// Longest state: a thousand children take a third of a megabyte.
    static let limit = 16 << 20
    private static let magic: UInt64 = 0x4E58_5354_4154_4501
    /// The second slot is so far behind the first that neither ever grows into the other; what lies between takes no memory.
    private static let places: [Int64] = [4096, 1 << 30]

    /// A fresh one.
    init(_ kernel: any Kernel) throws(Errno) {
        self.kernel = kernel
        fd = try kernel.makeMemory("nexus-state")
    }

    /// One that came back.
    init(_ kernel: any Kernel, taking fd: consuming OwnedFD) {
        self.kernel = kernel
        self.fd = fd
        var reader = ByteReader(read(8, at: 0) ?? [])
        if let count = try? reader.read(UInt32.self), let check = try? reader.read(UInt32.self), check == ~count {
            restores = count
        }
    }

    /// How often the state was restored in a row.
    func setRestores(_ count: UInt32) throws(Errno) {
        var writer = ByteWriter()
        writer.write(count)
        writer.write(~count)
        try write(writer.bytes, at: 0)
        restores = count
    }

    /// The newest state that is whole, without its heading; nil where there is none.
    func newest() -> [UInt8]? {
        var best: (generation: UInt64, bytes: [UInt8])?
        for place in Self.places {
            guard let slot = slot(at: place), slot.generation >= best?.generation ?? 0 else { continue }
            best = slot
        }
        generation = best?.generation ?? 0
        return best?.bytes
    }

    /// Writes the next generation. The first `headingBytes` of `image` are room for the heading.
    func write(_ image: inout [UInt8]) throws(Errno) {
        let next = generation + 1
        var heading = ByteWriter()
        heading.write(Self.magic)
        heading.write(UInt64(SupervisorState.encodingVersion) << 32 | UInt64(ShellHead.encodingVersion))
        heading.write(next)
        heading.write(UInt64(image.count - Self.headingBytes))
        heading.write(Self.checksum(image[Self.headingBytes...], next))
        image.replaceSubrange(..<Self.headingBytes, with: heading.bytes)
        try write(image, at: Self.places[Int(next % 2)])
        generation = next
    }

    private func write(_ bytes: [UInt8], at offset: Int64) throws(Errno) {
        var written = 0
        while written < bytes.count {
            let count = try bytes.withUnsafeBufferPointer { bytes throws(Errno) in
                let rest = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[written...]))
                return try kernel.write(fd, rest, at: offset + Int64(written))
            }
            guard count > 0 else { throw .inputOutput }
            written += count
        }
    }

    private func slot(at place: Int64) -> (generation: UInt64, bytes: [UInt8])? {
        guard let heading = read(Self.headingBytes, at: place) else { return nil }
        var reader = ByteReader(heading)
        guard (try? reader.read(UInt64.self)) == Self.magic, let version = try? reader.read(UInt64.self),
            version == UInt64(SupervisorState.encodingVersion) << 32 | UInt64(ShellHead.encodingVersion),
            let generation = try? reader.read(UInt64.self), let count = try? reader.read(UInt64.self),
            let checksum = try? reader.read(UInt64.self), count <= Self.limit,
            let bytes = read(Int(count), at: place + Int64(Self.headingBytes)),
            Self.checksum(bytes[...], generation) == checksum
        else { return nil }
        return (generation, bytes)
    }

    private func read(_ count: Int, at offset: Int64) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var place = 0
        while place < count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                try? kernel.read(
                    fd, into: UnsafeMutableRawBufferPointer(rebasing: buffer[place...]), at: offset + Int64(place))
            }
            guard let got, got > 0 else { return nil }
            place += got
        }
        return bytes
    }

    /// Eight bytes at a time; each step is a bijection of the sum, so that one changed word always shows.
    static func checksum(_ bytes: ArraySlice<UInt8>, _ generation: UInt64) -> UInt64 {
        var sum = 0xcbf2_9ce4_8422_2325 ^ generation
        func mix(_ word: UInt64) {
            sum = (sum ^ word) &* 0x9E37_79B9_7F4A_7C15
            sum = sum << 29 | sum >> 35
        }
        bytes.withUnsafeBytes { bytes in
            let whole = bytes.count & ~7
            for place in stride(from: 0, to: whole, by: 8) {
                mix(bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            }
            for place in whole..<bytes.count { mix(UInt64(bytes[place]) | 0x100) }
        }
        return sum
    }
}
