import SupervisorCore
import Wire

extension ChildPlan: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(name)
        writer.write(role.rawValue)
        policy.write(to: &writer)
        writer.write(executable)
        writer.write(arguments)
        writer.write(environment)
        writer.write(directory)
        writer.write(identity)
        writer.write(limits)
        bounds.write(to: &writer)
        writer.write(umask)
        writer.write(nice)
        writer.write(oomScoreAdjust)
        writer.write(noNewPrivileges)
        capabilities.write(to: &writer)
        writer.write(sockets)
        writer.write(secretFiles) { $0.write($1) }
        readiness.write(to: &writer)
        writer.write(liveness)
        writer.write(pidFile) { $0.write($1) }
        log.write(to: &writer)
        writer.write(worker)
        writer.write(choice) { $0.write($1.rawValue) }
        writer.write(calendar) { $0.write($1) }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            name: try reader.readText(), role: try reader.readCase(), policy: try ChildPolicy(from: &reader),
            executable: try reader.readText(), arguments: try reader.readList(), environment: try reader.readList(),
            directory: try reader.readText(), identity: try reader.readOptional(), limits: try reader.readList(),
            bounds: try RunBounds(from: &reader), umask: try reader.read(), nice: try reader.read(),
            oomScoreAdjust: try reader.read(), noNewPrivileges: try reader.readBool(),
            capabilities: try Capabilities(from: &reader), sockets: try reader.readList(),
            secretFiles: try reader.readNumbers(),
            readiness: try Readiness(from: &reader), liveness: try reader.readOptional(),
            pidFile: try reader.readOptional { reader throws(ByteError) in try reader.readText() },
            log: try LogPlan(from: &reader), worker: try reader.readOptional(),
            choice: try reader.readOptional { reader throws(ByteError) in try reader.readCase() },
            calendar: try reader.readNumbers())
    }
}

extension Variable: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(name)
        value.write(to: &writer)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(name: try reader.readText(), value: try Text(from: &reader))
    }
}

extension Identity: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(uid)
        writer.write(gid)
        writer.write(groups) { $0.write($1) }
        writer.write(user)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            uid: try reader.read(), gid: try reader.read(), groups: try reader.readNumbers(),
            user: try reader.readText())
    }
}

extension Limit: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(resource)
        writer.write(soft)
        writer.write(hard)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(resource: try reader.read(), soft: try reader.read(), hard: try reader.read())
    }
}

extension RunBounds: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(memoryMax) { $0.write($1) }
        writer.write(memoryHigh) { $0.write($1) }
        writer.write(recycle)
        writer.write(processes) { $0.write($1) }
        writer.write(cpuWeight) { $0.write($1) }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            memoryMax: try reader.readOptionalNumber(), memoryHigh: try reader.readOptionalNumber(),
            recycle: try reader.readOptional(), processes: try reader.readOptionalNumber(),
            cpuWeight: try reader.readOptionalNumber())
    }
}

extension RecycleRule: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(above)
        writer.write(patience)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(above: try reader.read(), patience: try reader.readDuration())
    }
}

extension LogPlan: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(fileBytes)
        writer.write(files)
        writer.write(journal)
        writer.write(rate)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(
            fileBytes: try reader.read(), files: try reader.read(), journal: try reader.readBool(),
            rate: try reader.readOptional())
    }
}

extension LogRate: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(lines)
        writer.write(window)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(lines: try reader.read(), window: try reader.readDuration())
    }
}

extension WorkerPlan: Coded {
    func write(to writer: inout ByteWriter) {
        writer.write(may)
        writer.write(peers)
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        self.init(may: try reader.readList(), peers: try reader.readList())
    }
}

extension WorkerPlan.Grant: Coded {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .status: writer.write(UInt8(0))
        case .start(let target): target.write(to: &writer, after: 1)
        case .stop(let target): target.write(to: &writer, after: 2)
        case .restart(let target): target.write(to: &writer, after: 3)
        case .health(let child):
            writer.write(UInt8(4))
            child.write(to: &writer)
        }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        switch try reader.read(UInt8.self) {
        case 0: self = .status
        case 1: self = .start(try Command.Target(from: &reader))
        case 2: self = .stop(try Command.Target(from: &reader))
        case 3: self = .restart(try Command.Target(from: &reader))
        case 4: self = .health(try ChildID(from: &reader))
        case _: throw ByteError(.unknownValue, at: reader.offset - 1)
        }
    }
}

extension Command.Target: Coded {
    func write(to writer: inout ByteWriter, after kind: UInt8) {
        writer.write(kind)
        write(to: &writer)
    }

    func write(to writer: inout ByteWriter) {
        switch self {
        case .child(let child):
            writer.write(UInt8(0))
            child.write(to: &writer)
        case .group(let group):
            writer.write(UInt8(1))
            group.write(to: &writer)
        case .all: writer.write(UInt8(2))
        }
    }

    init(from reader: inout ByteReader) throws(ByteError) {
        switch try reader.read(UInt8.self) {
        case 0: self = .child(try ChildID(from: &reader))
        case 1: self = .group(try GroupID(from: &reader))
        case 2: self = .all
        case _: throw ByteError(.unknownValue, at: reader.offset - 1)
        }
    }
}
