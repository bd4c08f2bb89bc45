import Plan
import SupervisorCore
import Wire

/// The state as bytes, in parts: one of the tree as a whole, one a child. Only parts that are different are made anew.
struct StateImage {
    private var head: [UInt8] = []
    private var parts: [[UInt8]] = []
    private var writer = ByteWriter()
    private var image: [UInt8] = []

    mutating func setHead(_ tree: TreeMemory, _ shell: ShellHead) {
        writer.clear()
        tree.write(to: &writer)
        shell.write(to: &writer)
        head = writer.bytes
    }

    mutating func set(_ child: ChildID, _ memory: ChildMemory, _ shell: ShellCell) {
        let index = Int(child.rawValue) - 1
        while parts.count <= index { parts.append([]) }
        writer.clear()
        memory.write(to: &writer)
        shell.write(to: &writer)
        parts[index] = writer.bytes
    }

    /// All of it, behind room for a heading. The bytes are lent, not copied.
    mutating func withBytes<Failure: Error>(_ body: (inout [UInt8]) throws(Failure) -> Void) throws(Failure) {
        image.removeAll(keepingCapacity: true)
        image.append(contentsOf: repeatElement(0, count: StateMemory.headingBytes))
        image.append(contentsOf: head)
        withUnsafeBytes(of: UInt32(parts.count).bigEndian) { image.append(contentsOf: $0) }
        for part in parts { image.append(contentsOf: part) }
        try body(&image)
    }

    /// The inverse, without the heading.
    struct Content: Hashable {
        var state: SupervisorState
        var head: ShellHead
        var cells: [ShellCell]

        init(_ bytes: [UInt8]) throws(ByteError) {
            var reader = ByteReader(bytes)
            let tree = try TreeMemory(from: &reader)
            head = try ShellHead(from: &reader)
            let pairs = try reader.readList { reader throws(ByteError) in
                (try ChildMemory(from: &reader), try ShellCell(from: &reader))
            }
            try reader.finish()
            state = SupervisorState(tree: tree, children: pairs.map(\.0))
            cells = pairs.map(\.1)
        }
    }
}
