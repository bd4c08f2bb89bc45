import Glibc
import SupervisorCore
import System

/// What /proc says at one moment.
struct ProcessTable {
    private(set) var entries: [ProcessID: ProcessEntry] = [:]
    private var children: [ProcessID: [ProcessID]] = [:]

    /// Reads every process. One that ends meanwhile is left out.
    init(_ kernel: any Kernel) {
        let names = (try? kernel.list("/proc")) ?? []
        for name in names {
            guard let number = Int32(name), let entry = Self.entry(ProcessID(rawValue: number), kernel) else {
                continue
            }
            entries[entry.process] = entry
            children[entry.parent, default: []].append(entry.process)
        }
    }

    /// Everything below these processes, themselves included if they are there.
    func subtree(of roots: some Sequence<ProcessID>) -> [ProcessEntry] {
        var found: [ProcessEntry] = []
        var seen: Set<ProcessID> = []
        var pending = Array(roots)
        while let process = pending.popLast() {
            guard seen.insert(process).inserted else { continue }
            if let entry = entries[process] { found.append(entry) }
            pending.append(contentsOf: children[process] ?? [])
        }
        return found
    }

    /// One process; nil when it is not there.
    static func entry(_ process: ProcessID, _ kernel: any Kernel) -> ProcessEntry? {
        guard let stat = try? kernel.readFile("/proc/\(process)/stat", limit: 4096) else { return nil }
        return ProcessEntry(stat: stat)
    }

    /// The children of a process by /proc/PID/task/TID/children, a fraction of the cost of the whole table.
    /// nil when that cannot be had (a kernel without CONFIG_PROC_CHILDREN, or the process is gone).
    static func children(of process: ProcessID, _ kernel: any Kernel) -> [ProcessID]? {
        threads(of: process, kernel).flatMap { children(of: process, threads: $0, kernel) }
    }

    /// The same of a process that was just looked at: its threads are told already.
    static func children(of entry: ProcessEntry, _ kernel: any Kernel) -> [ProcessID]? {
        let threads =
            entry.threads > 1 ? try? kernel.list("/proc/\(entry.process)/task") : [entry.process.description]
        return threads.flatMap { children(of: entry.process, threads: $0, kernel) }
    }

    private static func children(
        of process: ProcessID, threads: [String], _ kernel: any Kernel
    ) -> [ProcessID]? {
        let tasks = "/proc/\(process)/task"
        var found: [ProcessID] = []
        for thread in threads {
            do {
                let text = try kernel.readFile("\(tasks)/\(thread)/children", limit: 1 << 20)
                found += text.split(separator: UInt8(ascii: " ")).compactMap { digits in
                    decimal(digits).map { ProcessID(rawValue: Int32(truncatingIfNeeded: $0)) }
                }
            } catch {
                // A thread that ended meanwhile is no reason to doubt the others; a missing file for all of them is.
                if threads.count == 1 { return nil }
            }
        }
        return found
    }

    /// How many children a process has, at a fraction of the cost of their numbers: each is followed by a space.
    static func childCount(of process: ProcessID, _ kernel: any Kernel) -> Int? {
        let tasks = "/proc/\(process)/task"
        guard let threads = threads(of: process, kernel) else { return nil }
        return withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 16) { buffer in
            var count = 0
            do throws(Errno) {
                for thread in threads {
                    let file = try kernel.open("\(tasks)/\(thread)/children", .readOnly, mode: 0)
                    while case let length = try kernel.read(file, into: buffer), length > 0 {
                        for byte in buffer[..<length] where byte == UInt8(ascii: " ") { count += 1 }
                    }
                }
            } catch {
                return nil
            }
            return count
        }
    }

    /// Each thread has its own list of children. Most processes have one thread, and its directory says so by its link
    /// count: that is a fifth of the cost of listing it.
    private static func threads(of process: ProcessID, _ kernel: any Kernel) -> [String]? {
        let tasks = "/proc/\(process)/task"
        guard let status = try? kernel.status(tasks, followingLinks: false) else { return nil }
        return status.links == 3 ? [process.description] : try? kernel.list(tasks)
    }

    /// Resident memory of these processes, in bytes, without shared pages (a file that ten of them map is no memory of
    /// theirs); nil when none of them could be looked at. /proc/PID/statm (proc(5)): SIZE RESIDENT SHARED …, in pages.
    static func memory(of processes: [ProcessID], _ kernel: any Kernel) -> UInt64? {
        var pages: UInt64?
        for process in processes {
            guard let text = try? kernel.readFile("/proc/\(process)/statm", limit: 256) else { continue }
            let fields = text.split(separator: UInt8(ascii: " "))
            guard fields.count > 2, let resident = decimal(fields[1]), let shared = decimal(fields[2]) else { continue }
            pages = (pages ?? 0) + resident - min(resident, shared)
        }
        return pages.map { $0 &* UInt64(getpagesize()) }
    }

    /// Resident memory of one process with all that it shares, in bytes (proc(5), statm).
    static func residentBytes(of process: ProcessID, _ kernel: any Kernel) -> UInt64? {
        guard let text = try? kernel.readFile("/proc/\(process)/statm", limit: 256) else { return nil }
        let fields = text.split(separator: UInt8(ascii: " "))
        return fields.count > 2 ? decimal(fields[1]).map { $0 &* UInt64(getpagesize()) } : nil
    }

    /// The environment a process was started with (`NAME=value`, each ended by a zero byte); nil when it may not be read.
    /// Empty also for a moment of execve(2). One whose main thread has ended says nothing (ESRCH) under its own number while others
    /// live on (state Z, several threads): any of these knows it.
    static func environment(of process: ProcessID, _ kernel: any Kernel) -> [UInt8]? {
        let own = try? kernel.readFile("/proc/\(process)/environ", limit: 1 << 20)
        if let own, !own.isEmpty { return own }
        guard let threads = threads(of: process, kernel), threads.count > 1 else { return own }
        for thread in threads.filter({ $0 != process.description }).prefix(threadsAsked) {
            let text = try? kernel.readFile("/proc/\(process)/task/\(thread)/environ", limit: 1 << 20)
            if let text, !text.isEmpty { return text }
        }
        return own
    }

    /// Some may end while they are asked; all that live have the same memory.
    private static let threadsAsked = 8

    /// The value of a variable in the environment this process was started with.
    static func variable(_ name: String, of process: ProcessID, _ kernel: any Kernel) -> ArraySlice<UInt8>? {
        environment(of: process, kernel).flatMap { value(of: name, in: $0) }
    }

    static func value(of name: String, in environment: [UInt8]) -> ArraySlice<UInt8>? {
        let start = Array((name + "=").utf8)
        for variable in environment.split(separator: 0) where variable.starts(with: start) {
            return variable.dropFirst(start.count)
        }
        return nil
    }
}

extension RunID {
    /// Reads its own description back: hexadecimal second, `-`, decimal count.
    init?(shown text: some Collection<UInt8>) {
        guard let dash = text.firstIndex(of: UInt8(ascii: "-")),
            let second = UInt32(String(decoding: text[..<dash], as: UTF8.self), radix: 16),
            let count = UInt32(String(decoding: text[text.index(after: dash)...], as: UTF8.self))
        else { return nil }
        self.init(second: second, count: count)
    }
}
