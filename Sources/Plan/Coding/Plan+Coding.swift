import Wire

/// The flat form that nexus-config writes and nexusd reads: magic · u16 version · u64 checksum of the body · body.
///
/// The checksum (FNV-1a, 64 bits) is there for `last-good`, which may lie on a disk for years: a flipped bit that still
/// decodes would run another command line. It is no protection against malice; the file's owner and mode are.
extension Plan {
    /// Longest encoded plan, in bytes; a thousand children take about half a megabyte.
    public static let encodedLimit = 4 * 1024 * 1024
    /// Version of the encoding; any change of a field raises it.
    public static let encodingVersion: UInt16 = 5

    static let magic: [UInt8] = Array("NXSPLAN\n".utf8)
    static let headerBytes = magic.count + 2 + 8

    /// The plan as bytes. May be longer than `encodedLimit`: whoever writes it out checks that.
    public func encoded() -> [UInt8] {
        var body = ByteWriter()
        write(to: &body)
        var writer = ByteWriter()
        for byte in Plan.magic { writer.write(byte) }
        writer.write(Plan.encodingVersion)
        writer.write(checksum(body.bytes[...]))
        return writer.bytes + body.bytes
    }

    /// Reads an encoded plan. Total: any bytes give a plan that keeps its own rules (`Plan.validate`) or an error.
    public init(encoded bytes: [UInt8]) throws(PlanError) {
        guard bytes.count <= Plan.encodedLimit else { throw .tooLarge(bytes: bytes.count) }
        guard bytes.starts(with: Plan.magic) else { throw .notAPlan }
        do {
            var header = ByteReader(Array(bytes.prefix(Plan.headerBytes)))
            for _ in Plan.magic { _ = try header.read(UInt8.self) }
            let version = try header.read(UInt16.self)
            guard version == Plan.encodingVersion else { throw PlanError.version(version) }
            let expected = try header.read(UInt64.self)
            let body = bytes.dropFirst(Plan.headerBytes)
            guard checksum(body) == expected else { throw PlanError.checksum }
            var reader = ByteReader(Array(body))
            try self.init(from: &reader)
            try reader.finish()
        } catch let error as PlanError {
            throw error
        } catch let error as ByteError {
            throw .damaged(error)
        } catch {
            throw .invalid("unknown problem")
        }
        try validate()
    }
}

/// FNV-1a with 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/ . Every step is a bijection of the state, so that one
/// changed byte always changes the result.
func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash
}

extension Plan: Coded {
    func write(to writer: inout ByteWriter) {
        supervisor.write(to: &writer)
        writer.write(groups)
        writer.write(children)
        writer.write(secrets)
        writer.write(notes) { $0.write($1) }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            supervisor: try SupervisorPlan(from: &reader), groups: try reader.readList(),
            children: try reader.readList(),
            secrets: try reader.readList(),
            notes: try reader.readList { reader throws(ByteError) in try reader.readText() })
    }
}

extension SupervisorPlan: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(readUids) { $0.write($1) }
        writer.write(readGids) { $0.write($1) }
        writer.write(controlUids) { $0.write($1) }
        writer.write(controlGids) { $0.write($1) }
        writer.write(uidWall)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            readUids: try reader.readNumbers(), readGids: try reader.readNumbers(),
            controlUids: try reader.readNumbers(), controlGids: try reader.readNumbers(),
            uidWall: try reader.readBool())
    }
}

extension GroupPlan: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(name)
        policy.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(name: try reader.readText(), policy: try .init(from: &reader))
    }
}

extension SecretPlan: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(name)
        switch source {
        case .file(let path):
            writer.write(UInt8(0))
            writer.write(path)
        case .credential(let name):
            writer.write(UInt8(1))
            writer.write(name)
        case .generated(let bytes):
            writer.write(UInt8(2))
            writer.write(bytes)
        }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        let name = try reader.readText()
        switch try reader.read(UInt8.self) {
        case 0: self.init(name: name, source: .file(try reader.readText()))
        case 1: self.init(name: name, source: .credential(try reader.readText()))
        case 2: self.init(name: name, source: .generated(bytes: try reader.read()))
        case _: throw ByteError(.unknownValue, at: reader.offset - 1)
        }
    }
}
