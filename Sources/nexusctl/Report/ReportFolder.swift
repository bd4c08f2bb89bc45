import ControlClient
import Glibc

/// The files of a report before they are packed, in a directory that nobody else may enter and that goes with this value.
struct ReportFolder: ~Copyable {
    /// Made for it alone.
    let parent: String
    /// Where the files are.
    let path: String

    init(_ name: String) throws(ControlError) {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array((base + "/nexusctl-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else {
            throw ControlError(
                .failed, "no directory can be made in \(base): \(String(cString: strerror(errno)))",
                hint: "set TMPDIR to one that you may write")
        }
        parent = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        path = parent + "/" + name
        mkdir(path, 0o700)
    }

    deinit { Self.remove(parent) }

    /// Writes a file, and makes the directory it is in.
    static func write(_ text: String, as name: String, in path: String) {
        if let slash = name.lastIndex(of: "/") { mkdir(path + "/" + name[..<slash], 0o700) }
        let file = open(path + "/" + name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        defer { close(file) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Every file with its size, by name.
    func contents() -> [(name: String, bytes: Int64)] {
        Self.files(below: path).map { name in
            var facts = stat()
            stat(path + "/" + name, &facts)
            return (name, Int64(facts.st_size))
        }.sorted { $0.name < $1.name }
    }

    private static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func files(below path: String) -> [String] {
        names(in: path).flatMap { name -> [String] in
            var facts = stat()
            guard lstat(path + "/" + name, &facts) == 0 else { return [] }
            guard facts.st_mode & S_IFMT == S_IFDIR else { return [name] }
            return files(below: path + "/" + name).map { name + "/" + $0 }
        }
    }

    private static func remove(_ path: String) {
        var facts = stat()
        guard lstat(path, &facts) == 0 else { return }
        guard facts.st_mode & S_IFMT == S_IFDIR else {
            unlink(path)
            return
        }
        for name in names(in: path) { remove(path + "/" + name) }
        rmdir(path)
    }
}
