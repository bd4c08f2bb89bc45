import Wire

extension UnfiledLines {
    func write(to writer: inout ByteWriter) {
        writer.write(losses.sorted { $0.key < $1.key }) { writer, entry in
            writer.write(entry.key)
            writer.write(entry.value.trouble) { $0.write($1) }
            writer.write(entry.value.lines)
            writer.write(entry.value.unsaid)
        }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        let entries = try reader.readList { reader throws(ByteError) in
            let child = try reader.readString()
            let trouble = try reader.readOptional { reader throws(ByteError) in try reader.readString() }
            return (child, Loss(trouble: trouble, lines: try reader.read(), unsaid: try reader.read()))
        }
        losses = Dictionary(entries) { $1 }
    }
}
