import SupervisorCore
import System
import Wire

/// The memory in which the state outlives nexusd, in parts. Each part has two halves that are written in turn, each with the
/// generation it belongs to and a checksum; what is of a new generation counts when its seal is written, behind all of its
/// parts. Seals are two as well. Whoever is killed in the middle leaves the generation before as it was.
final class StateMemory {
    let fd: OwnedFD
    private let kernel: any Kernel
    /// The last one that was sealed.
    private var generation: UInt64 = 0
    /// By part, what counts; and the sum of all its checksums.
    private var halves: [Half] = []
    private var total: UInt64 = 0
    /// Restores since a nexusd has lived for long enough.
    private(set) var restores: UInt32 = 0
    private var scratch: [UInt8] = []

    /// Which of the two counts, and its checksum.
    private struct Half {
        var isSecond = true
        var sum: UInt64 = 0
    }

    /// What makes a generation whole.
    private struct Seal {
        var generation: UInt64
        var count: UInt64
        /// Of the checksums of all its parts, which their generations are in.
        var total: UInt64
    }

    /// What two halves take: a page. What is longer has its bytes far behind, in room of its own; what lies between takes none.
    private static let pairBytes: Int64 = 4096
    private static let halfBytes = 2048
    private static let headingBytes = 24
    private static let shortest = halfBytes - headingBytes
    private static let farAway: Int64 = 1 << 31
    /// Longest part, and the most that all take together.
    static let partLimit = 4 << 20
    static let limit = 64 << 20
    /// Two parts that are no child's, and as many children as a tree may have.
    private static let countLimit: UInt64 = 2 + 0x7FFF
    private static let sealPlaces: [Int64] = [64, 128]
    private static let sealBytes = 48
    private static let magic: UInt64 = 0x4E58_5354_4154_4502
    private static let version = UInt64(SupervisorState.encodingVersion) << 32 | UInt64(ShellHead.encodingVersion)

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

    /// Writes the parts that are other than before, as the next generation. What fails is written again by the next call.
    func write(_ image: inout StateImage) throws(Errno) {
        guard !image.news.isEmpty else { return }
        let next = generation + 1
        var (halves, total) = (halves, total)
        while halves.count < image.parts.count { halves.append(Half()) }
        for place in image.news {
            total &-= halves[place].sum
            halves[place].isSecond.toggle()
            halves[place].sum = Self.checksum(image.parts[place], [next, UInt64(place)])
            total &+= halves[place].sum
            try write(image.parts[place], place, next, halves[place])
        }
        try write(Seal(generation: next, count: UInt64(halves.count), total: total))
        generation = next
        (self.halves, self.total) = (halves, total)
        image.wasWritten()
    }

    private func write(_ part: [UInt8], _ place: Int, _ generation: UInt64, _ half: Half) throws(Errno) {
        guard part.count <= Self.partLimit else { throw .tooLarge }
        var writer = ByteWriter()
        writer.write(generation)
        writer.write(UInt64(part.count))
        writer.write(half.sum)
        scratch.removeAll(keepingCapacity: true)
        scratch.append(contentsOf: writer.bytes)
        if part.count <= Self.shortest {
            scratch.append(contentsOf: part)
        } else {
            try write(part, at: Self.far(place, half.isSecond))
        }
        try write(scratch, at: Self.pair(place) + (half.isSecond ? Int64(Self.halfBytes) : 0))
    }

    private func write(_ seal: Seal) throws(Errno) {
        var writer = ByteWriter()
        for word in [Self.magic, Self.version, seal.generation, seal.count, seal.total] { writer.write(word) }
        writer.write(Self.checksum(writer.bytes))
        try write(writer.bytes, at: Self.sealPlaces[Int(seal.generation % 2)])
    }

    private static func pair(_ place: Int) -> Int64 { Int64(place + 1) * pairBytes }

    private static func far(_ place: Int, _ isSecond: Bool) -> Int64 {
        farAway + Int64(place * 2 + (isSecond ? 1 : 0)) * Int64(partLimit)
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
}

// What the next one reads.
extension StateMemory {
    /// The parts of the newest generation that is whole; nil where there is none. What is written next is the one behind it, and
    /// has to be all of them: a half of one that was never sealed may be in the way.
    func newest() -> [[UInt8]]? {
        let seals = Self.sealPlaces.compactMap(seal).sorted { $0.generation > $1.generation }
        for seal in seals {
            if let parts = parts(of: seal) { return parts }
        }
        return nil
    }

    private func seal(at place: Int64) -> Seal? {
        guard let bytes = read(Self.sealBytes, at: place) else { return nil }
        var reader = ByteReader(bytes)
        guard (try? reader.read(UInt64.self)) == Self.magic, (try? reader.read(UInt64.self)) == Self.version,
            let generation = try? reader.read(UInt64.self), let count = try? reader.read(UInt64.self),
            let total = try? reader.read(UInt64.self), let sum = try? reader.read(UInt64.self),
            sum == Self.checksum(Array(bytes.dropLast(8))), count <= Self.countLimit
        else { return nil }
        return Seal(generation: generation, count: count, total: total)
    }

    private func parts(of seal: Seal) -> [[UInt8]]? {
        var parts: [[UInt8]] = []
        var halves: [Half] = []
        var size = 0
        for place in 0..<Int(seal.count) {
            guard let found = newestHalf(of: place, atMost: seal.generation) else { return nil }
            size += found.bytes.count
            guard size <= Self.limit else { return nil }
            parts.append(found.bytes)
            halves.append(found.half)
        }
        guard halves.reduce(0, { $0 &+ $1.sum }) == seal.total else { return nil }
        generation = seal.generation
        (self.halves, total) = (halves, seal.total)
        return parts
    }

    private func newestHalf(of place: Int, atMost limit: UInt64) -> (half: Half, bytes: [UInt8])? {
        guard let pair = read(Int(Self.pairBytes), at: Self.pair(place), mayEnd: true) else { return nil }
        var best: (generation: UInt64, half: Half, bytes: [UInt8])?
        for isSecond in [false, true] {
            let start = isSecond ? Self.halfBytes : 0
            guard pair.count >= start + Self.headingBytes else { continue }
            var reader = ByteReader(Array(pair[start..<start + Self.headingBytes]))
            guard let generation = try? reader.read(UInt64.self), let count = try? reader.read(UInt64.self),
                let sum = try? reader.read(UInt64.self), generation <= limit, count <= Self.partLimit,
                generation > best?.generation ?? 0
            else { continue }
            let begin = start + Self.headingBytes
            let end = begin + Int(count)
            let bytes: [UInt8]?
            if count <= Self.shortest {
                bytes = end <= pair.count ? Array(pair[begin..<end]) : nil
            } else {
                bytes = read(Int(count), at: Self.far(place, isSecond))
            }
            guard let bytes, Self.checksum(bytes, [generation, UInt64(place)]) == sum else { continue }
            best = (generation, Half(isSecond: isSecond, sum: sum), bytes)
        }
        return best.map { ($0.half, $0.bytes) }
    }

    /// `mayEnd`: what there is of it.
    private func read(_ count: Int, at offset: Int64, mayEnd: Bool = false) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var place = 0
        while place < count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                try? kernel.read(
                    fd, into: UnsafeMutableRawBufferPointer(rebasing: buffer[place...]), at: offset + Int64(place))
            }
            guard let got else { return nil }
            if got == 0 { return mayEnd ? Array(bytes[..<place]) : nil }
            place += got
        }
        return bytes
    }

    /// Eight bytes at a time; each step is a bijection of the sum, so that one changed word always shows.
    static func checksum(_ bytes: [UInt8], _ seeds: [UInt64] = []) -> UInt64 {
        var sum: UInt64 = 0xcbf2_9ce4_8422_2325
        func mix(_ word: UInt64) {
            sum = (sum ^ word) &* 0x9E37_79B9_7F4A_7C15
            sum = sum << 29 | sum >> 35
        }
        for seed in seeds { mix(seed) }
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
