import Wire

/// Datagrams of journald's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): `NAME=value\n`, an empty line between
/// entries, several entries a datagram.
struct JournalDatagram {
    /// Bytes after which a datagram is sent; far below what a unix datagram may have (net.core.wmem_max).
    static let fullAt = 32 * 1024

    /// What is ready to be sent.
    private(set) var bytes: [UInt8] = []
    /// Entries in it.
    private(set) var entries = 0

    var isEmpty: Bool { entries == 0 }

    var isFull: Bool { bytes.count >= JournalDatagram.fullAt }

    mutating func clear() {
        bytes.removeAll(keepingCapacity: true)
        entries = 0
    }

    /// Fields that all lines of a batch share.
    static func fields(of target: LogTarget) -> [UInt8] {
        let stream =
            switch target.source {
            case .child(.stdout): "stdout"
            case .child(.stderr): "stderr"
            case .supervisor, .logWriter: "nexus"
            }
        return Array(
            """
            NEXUS_CHILD=\(target.child)
            NEXUS_RUN_ID=\(target.run)
            NEXUS_STREAM=\(stream)
            SYSLOG_IDENTIFIER=\(target.child)

            """.utf8)
    }

    /// One captured line, given as its entry in the file's format without the newline.
    mutating func append(entry: UnsafeRawBufferPointer, prefixBytes: Int, fields: [UInt8]) {
        separate()
        bytes += Array("MESSAGE=".utf8)
        bytes += entry[prefixBytes...]
        bytes += Array("\nPRIORITY=".utf8)
        bytes.append(entry[prefixBytes - EntryFormat.levelFromEnd])
        if entry[prefixBytes - EntryFormat.flagFromEnd] == EntryFormat.partial {
            bytes += Array("\nNEXUS_PARTIAL=1".utf8)
        }
        bytes.append(0x0A)
        bytes += fields
        entries += 1
    }

    /// One event of nexusd, with every fact as a field of its own.
    mutating func append(event: LogEvent) {
        separate()
        append("MESSAGE", event.message)
        append("PRIORITY", String(min(event.priority, 7)))
        append("SYSLOG_IDENTIFIER", LogFileName.supervisor)
        if !event.messageID.isEmpty { append("MESSAGE_ID", event.messageID) }
        if let child = event.child { append("NEXUS_CHILD", child) }
        if let run = event.run { append("NEXUS_RUN_ID", run.description) }
        for field in event.fields where JournalDatagram.isName(field.name) {
            append("NEXUS_" + field.name, field.value)
        }
        entries += 1
    }

    private mutating func separate() {
        if !isEmpty { bytes.append(0x0A) }
    }

    /// A value with a newline in it is sent by its length (u64, little-endian), any other as text.
    private mutating func append(_ name: String, _ value: String) {
        bytes += name.utf8
        if value.utf8.contains(0x0A) {
            bytes.append(0x0A)
            withUnsafeBytes(of: UInt64(value.utf8.count).littleEndian) { bytes += $0 }
        } else {
            bytes.append(UInt8(ascii: "="))
        }
        bytes += value.utf8
        bytes.append(0x0A)
    }

    /// [A-Z][A-Z0-9_]*, at most 58 bytes: with our prefix it must stay within journald's 64.
    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, (0x41...0x5A).contains(first), name.utf8.count <= 58 else { return false }
        return name.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
    }
}
