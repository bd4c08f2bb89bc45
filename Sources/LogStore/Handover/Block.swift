/// Memory for the lines of one batch.
final class Block: @unchecked Sendable {
    // Sendable although it is mutable memory: only the reading thread writes to it, and only before it hands the batch
    // around it over; from then on it is only read, until the last owner lets go.

    let memory: UnsafeMutableRawBufferPointer

    init(byteCount: Int) { memory = .allocate(byteCount: byteCount, alignment: 64) }

    deinit { memory.deallocate() }
}

/// The reading thread's blocks, used again and again while lines come and given back when they stop. Pages that no batch
/// ever reached cost nothing.
struct BlockPool {
    /// Bytes of a block: what a full pipe of 256 KiB grows to at 40 bytes a line. When a batch does not fit, its rest simply
    /// stays in the pipe for the next.
    static let blockBytes = 512 * 1024
    /// Batches below this are copied to memory of their own size, so that a queue of short ones holds no large blocks.
    static let smallBatch = 16 * 1024
    /// Blocks that are kept for the next batches.
    static let kept = 4

    private var blocks: [Block] = []
    /// Bytes that the longest batch since the last release had: pages that were touched.
    private(set) var touched = 0

    /// Keeps in mind how far a block was filled.
    mutating func note(_ count: Int) { touched = max(touched, count) }

    /// A block that nobody else holds.
    mutating func take() -> Block {
        for index in blocks.indices where isKnownUniquelyReferenced(&blocks[index]) { return blocks[index] }
        let block = Block(byteCount: BlockPool.blockBytes)
        if blocks.count < BlockPool.kept { blocks.append(block) }
        return block
    }

    /// The block that a batch of this many bytes travels in.
    static func travelling(_ block: Block, count: Int) -> Block {
        guard count < smallBatch else { return block }
        let small = Block(byteCount: max(1, count))
        small.memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: block.memory[..<count]))
        return small
    }

    /// Gives all memory back: nothing is coming.
    mutating func release() {
        blocks = []
        touched = 0
    }
}
