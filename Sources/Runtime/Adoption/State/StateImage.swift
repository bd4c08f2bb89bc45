import Plan
import SupervisorCore
import Wire

/// The state as bytes, in parts: one of the tree, one of what the shell knows of it, one a child. Only parts that are different
/// are made and written anew.
struct StateImage {
    private(set) var parts: [[UInt8]] = [[], []]
    /// Parts that are other than what was written last.
    private(set) var news: Set<Int> = []
    private var writer = ByteWriter()

    /// Places of the two that are no child's; the children follow.
    private static let tree = 0
    private static let shell = 1
    private static let firstChild = 2

    mutating func set(_ tree: TreeMemory) {
        writer.clear()
        tree.write(to: &writer)
        replace(Self.tree)
    }

    mutating func set(_ shell: ShellHead) {
        writer.clear()
        shell.write(to: &writer)
        replace(Self.shell)
    }

    mutating func set(_ child: ChildID, _ memory: ChildMemory, _ shell: ShellCell) {
        let place = Int(child.rawValue) - 1 + Self.firstChild
        while parts.count <= place { parts.append([]) }
        writer.clear()
        memory.write(to: &writer)
        shell.write(to: &writer)
        replace(place)
    }

    private mutating func replace(_ place: Int) {
        guard parts[place] != writer.bytes else { return }
        parts[place] = writer.bytes
        news.insert(place)
    }

    /// All of it is in the memory.
    mutating func wasWritten() { news.removeAll(keepingCapacity: true) }

    /// The inverse.
    struct Content: Hashable {
        var state: SupervisorState
        var head: ShellHead
        var cells: [ShellCell]

        init(_ parts: [[UInt8]]) throws(ByteError) {
            guard parts.count >= StateImage.firstChild else { throw ByteError(.truncated, at: 0) }
            let tree = try Self.read(parts[StateImage.tree]) { reader throws(ByteError) in
                try TreeMemory(from: &reader)
            }
            head = try Self.read(parts[StateImage.shell]) { reader throws(ByteError) in
                try ShellHead(from: &reader)
            }
            var children: [ChildMemory] = []
            cells = []
            for part in parts[StateImage.firstChild...] {
                let pair = try Self.read(part) { reader throws(ByteError) in
                    (try ChildMemory(from: &reader), try ShellCell(from: &reader))
                }
                children.append(pair.0)
                cells.append(pair.1)
            }
            state = SupervisorState(tree: tree, children: children)
        }

        private static func read<Value>(
            _ part: [UInt8], _ body: (inout ByteReader) throws(ByteError) -> Value
        ) throws(ByteError) -> Value {
            var reader = ByteReader(part)
            let value = try body(&reader)
            try reader.finish()
            return value
        }
    }
}
