import System

/// By what a program learns that it is to go on where another one was, in the same process: a variable of its environment.
struct HandoverTicket {
    /// The memory that has the `Handover`.
    let document: Int32
    /// The program before, to be executed again when this one refuses; -1 where there is none.
    let program: Int32
    /// Why another program has refused already.
    let failure: String?

    static let variable = "NEXUS_HANDOVER"
    static let failureVariable = "NEXUS_HANDOVER_FAILED"
    /// Bytes of the reason for a refusal.
    static let failureLimit = 1024

    init(document: Int32, program: Int32, failure: String? = nil) {
        self.document = document
        self.program = program
        self.failure = failure
    }

    /// Nil without one.
    init?(variable: (String) -> String?) {
        guard let numbers = variable(Self.variable)?.split(separator: ":"), numbers.count == 2,
            let document = Int32(numbers[0]), let program = Int32(numbers[1]), document > 2
        else { return nil }
        self.init(document: document, program: program, failure: variable(Self.failureVariable))
    }

    /// Variables that are for one program, and not for the next one.
    private static let ofOneProgram = [variable, failureVariable, "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"]

    /// Whether a program that goes on is to look at this one.
    static func hides(_ name: String) -> Bool { ofOneProgram.contains(name) }

    /// The environment of the program that gets this ticket.
    func environment(_ kernel: any Kernel) -> [String] {
        let others = kernel.environment().filter { variable in
            !Self.ofOneProgram.contains { variable.hasPrefix($0 + "=") }
        }
        let why = failure.map {
            [Self.failureVariable + "=" + String(decoding: $0.utf8.prefix(Self.failureLimit), as: UTF8.self)]
        }
        return others + ["\(Self.variable)=\(document):\(program)"] + (why ?? [])
    }
}

/// The memory in which a hand-over lies.
enum HandoverMemory {
    static func make(_ handover: Handover, _ kernel: any Kernel) throws(Errno) -> OwnedFD {
        let bytes = handover.encoded()
        guard bytes.count <= Handover.limit else { throw .tooLarge }
        let fd = try kernel.makeMemory("nexus-handover")
        try kernel.writeAll(fd, bytes)
        try kernel.seal(fd)
        return fd
    }

    /// By offset: whoever read it before has left the place in the file behind.
    static func read(_ raw: Int32, _ kernel: any Kernel) throws(Handover.Refusal) -> Handover {
        let fd = OwnedFD(owning: raw)
        let read = Result { () throws(Errno) in try bytes(of: fd, kernel) }
        _ = fd.release()
        switch read {
        case .success(let bytes): return try Handover(encoded: bytes)
        case .failure(let error): throw Handover.Refusal("the memory with it cannot be read: \(error)")
        }
    }

    private static func bytes(of fd: borrowing OwnedFD, _ kernel: any Kernel) throws(Errno) -> [UInt8] {
        guard try kernel.isSealed(fd) else { throw .invalid }
        let size = try kernel.status(fd).size
        guard size <= Int64(Handover.limit) else { throw .tooLarge }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(size))
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
        defer { scratch.deallocate() }
        while bytes.count < Int(size) {
            let count = try kernel.read(fd, into: scratch, at: Int64(bytes.count))
            guard count > 0 else { throw .inputOutput }
            bytes.append(contentsOf: scratch[..<count])
        }
        return bytes
    }
}
