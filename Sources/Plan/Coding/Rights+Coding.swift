import SupervisorCore
import Wire

extension Capabilities: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(bounding) { $0.write($1) }
        writer.write(ambient)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            bounding: try reader.readOptional { reader throws(ByteError) in try reader.read(UInt64.self) },
            ambient: try reader.read())
    }
}

extension SocketPlan: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(name)
        address.write(to: &writer)
        writer.write(kind.rawValue)
        writer.write(backlog)
        writer.write(file)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            name: try reader.readText(), address: try Address(from: &reader), kind: try reader.readCase(),
            backlog: try reader.read(), file: try reader.readOptional())
    }
}

extension SocketPlan.Address: Coded {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .inet(let host, let port):
            writer.write(UInt8(0))
            writer.write(host) { $0.write($1) }
            writer.write(port)
        case .inet6(let host, let port):
            writer.write(UInt8(1))
            writer.write(host) { $0.write($1) }
            writer.write(port)
        case .unix(let path):
            writer.write(UInt8(2))
            writer.write(path)
        }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        switch try reader.read(UInt8.self) {
        case 0: self = .inet(try reader.readNumbers(), port: try reader.read())
        case 1: self = .inet6(try reader.readNumbers(), port: try reader.read())
        case 2: self = .unix(try reader.readText())
        case _: throw ByteError(.unknownValue, at: reader.offset - 1)
        }
    }
}

extension SocketPlan.File: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(mode)
        writer.write(user)
        writer.write(group)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(mode: try reader.read(), user: try reader.read(), group: try reader.read())
    }
}
