import System

/// The lines of a file from its end to its start, reading only as much as is asked for.
struct BackwardLines: ~Copyable {
    /// Bytes of one read.
    static let chunkBytes = 64 * 1024
    /// Bytes. What goes on for longer without an end is no line of log-writer's, whose entries have 16 KiB at most, but something
    /// that another hand left in the file.
    static let lineLimit = 1 << 20

    private let kernel: any Kernel
    private let fd: OwnedFD
    /// Bytes from here to the last line handed out; always ends in a newline once the first line was asked for.
    private var buffer: [UInt8] = []
    /// Offset of the buffer's first byte; what is before it is not read yet.
    private var unread: Int64
    private var hasBegun = false
    /// There is no line within `lineLimit` before `offset`: what lies there is not read.
    private(set) var isEndless = false

    /// From this offset on, or from the end of the file.
    init(_ kernel: any Kernel, _ fd: consuming OwnedFD, from end: Int64? = nil) throws(Errno) {
        self.kernel = kernel
        if let end { unread = end } else { unread = try kernel.status(fd).size }
        self.fd = fd
    }

    /// Offset of the line that `next` gave last; of the end of what has no line in it, where it is endless.
    var offset: Int64 { unread + Int64(buffer.count) }

    /// The next earlier line without its newline; nil at the start of the file. What follows the last newline is no line:
    /// it is being written.
    mutating func next() throws(Errno) -> [UInt8]? {
        if !hasBegun {
            hasBegun = true
            guard let newline = try lastNewline() else {
                if !isEndless { buffer = [] }
                return nil
            }
            buffer.removeSubrange((newline + 1)...)
        }
        guard !isEndless, buffer.popLast() != nil else { return nil }
        let start = try lastNewline().map { $0 + 1 } ?? 0
        guard !isEndless else { return nil }
        let line = Array(buffer[start...])
        buffer.removeSubrange(start...)
        return line
    }

    private mutating func lastNewline() throws(Errno) -> Int? {
        var searched = 0
        while true {
            if let index = buffer[..<(buffer.count - searched)].lastIndex(of: 0x0A) { return index }
            searched = buffer.count
            isEndless = searched >= BackwardLines.lineLimit
            guard !isEndless else { return nil }
            let count = Int(min(Int64(BackwardLines.chunkBytes), unread))
            guard count > 0 else { return nil }
            let chunk = try kernel.bytes(of: fd, at: unread - Int64(count), count: count)
            // Shorter than its size said: the file was cut meanwhile, and what is left is read as far as it goes.
            guard chunk.count == count else { return nil }
            unread -= Int64(count)
            buffer = chunk + buffer
        }
    }
}

extension Kernel {
    /// Up to `count` bytes at an offset; fewer only at the end of the file.
    func bytes(of fd: borrowing OwnedFD, at offset: Int64, count: Int) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let start = filled
            let read = try bytes.withUnsafeMutableBufferPointer { all throws(Errno) in
                let rest = UnsafeMutableBufferPointer(rebasing: all[start...])
                return try self.read(fd, into: UnsafeMutableRawBufferPointer(rest), at: offset + Int64(start))
            }
            if read == 0 { break }
            filled += read
        }
        bytes.removeSubrange(filled...)
        return bytes
    }
}
