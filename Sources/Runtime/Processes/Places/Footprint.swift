import System

/// What of a directory was not there before nexusd came. One that is refused takes it away again: a mistyped path or a broken
/// file leaves nothing behind. Only for a directory whose lock it holds: what is in it is nobody else's then.
struct Footprint {
    private let kernel: any Kernel
    /// Outermost first.
    private let missing: [String]

    /// To be taken before anything is made. `files` are in the order in which they are removed last.
    init(_ kernel: any Kernel, of directory: String, files: [String]) {
        self.kernel = kernel
        var paths: [String] = []
        var path = ""
        for component in directory.split(separator: "/") {
            path += "/" + component
            paths.append(path)
        }
        missing = (paths + files).filter { Self.isMissing($0, kernel) }
    }

    /// Takes away what is there now; a directory only when it is empty.
    func erase() {
        for path in missing.reversed() {
            do { try kernel.removeFile(path) } catch { try? kernel.removeDirectory(path) }
        }
    }

    private static func isMissing(_ path: String, _ kernel: any Kernel) -> Bool {
        do {
            _ = try kernel.status(path, followingLinks: false)
            return false
        } catch {
            return error == .noEntry
        }
    }
}

extension Footprint {
    /// Of the runtime directory. The lock goes last: until then nobody else makes anything there.
    init(_ kernel: any Kernel, runtime: String) {
        let names = ["nexusd.lock", "notify", "credentials", "pid", "life", "stage", "pid/nexusd.pid"]
        self.init(kernel, of: runtime, files: names.map { runtime + "/" + $0 })
    }

    /// Of the state directory, as nexusd itself uses it.
    init(_ kernel: any Kernel, state: String) {
        self.init(kernel, of: state, files: ["nexusd.lock", "last-second"].map { state + "/" + $0 })
    }
}
