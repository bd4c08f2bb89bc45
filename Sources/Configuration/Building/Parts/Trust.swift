/// Who could change what nexusd is about to run. Asked only when nexusd is root: then whoever may write a program, or a
/// directory on the way to it, is root at its next start. Looked at when the plan is made; what is changed afterwards by
/// root itself is root's business.
struct Trust {
    let host: any Machine
    /// Users and groups beside root and nexusd's own: the child's, who can do anything to itself anyhow.
    var user: UInt32?
    var group: UInt32?

    /// Why somebody else could put another program at this path; nil: nobody could. Every link on the way counts, and
    /// every directory above each of them.
    func distrust(program path: String) -> String? {
        guard host.userID == 0 else { return nil }
        return distrust(wayTo: path) ?? host.realPath(path).flatMap { distrust(entry: $0) }
    }

    /// Directories above a path, and above each link on the way to what it names.
    private func distrust(wayTo path: String) -> String? {
        var step = path
        // As deep as the kernel follows (path_resolution(7)).
        for _ in 0..<40 {
            if let words = distrust(parentsOf: step) { return words }
            guard let target = host.readLink(step) else { break }
            if let shared = sharedDirectory(of: step) {
                return
                    "'\(step)' is a link in '\(shared)', where its owner may lead it elsewhere, and nexusd runs as root; name what it leads to"
            }
            step =
                target.hasPrefix("/")
                ? target : String(step[..<(step.lastIndex(of: "/") ?? step.endIndex)]) + "/" + target
        }
        return host.realPath(path).flatMap { distrust(parentsOf: $0) }
    }

    /// The same for a file that root reads for somebody else, whose content may be another's: who may exchange the file may have
    /// any file of this machine read, by a link.
    func distrust(file path: String) -> String? {
        guard host.userID == 0 else { return nil }
        if let words = distrust(wayTo: path) { return words }
        let real = host.realPath(path) ?? path
        guard let shared = sharedDirectory(of: real), let status = host.status(real) else { return nil }
        guard ![0, host.userID].contains(status.owner) else { return nil }
        return
            "'\(real)' belongs to uid \(status.owner) and lies in '\(shared)', where its owner may put a link in its place"
            + ", and nexusd runs as root; chown it to root"
    }

    /// The directory of a path, where others may make and remove what is their own.
    private func sharedDirectory(of path: String) -> String? {
        let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "/"
        guard let status = host.status(parent), status.mode & 0o1000 != 0, status.mode & 0o022 != 0 else { return nil }
        return parent
    }

    /// The same for a directory in which something is to be made.
    func distrust(directory path: String) -> String? {
        guard let status = host.status(path) else { return "there is no directory '\(path)'; make it" }
        guard status.kind == .directory else { return "'\(path)' is no directory" }
        return distrust(program: path)
    }

    /// Directories above a path.
    private func distrust(parentsOf path: String) -> String? {
        guard host.userID == 0 else { return nil }
        var directory = ""
        for component in path.split(separator: "/").dropLast() {
            directory += "/" + component
            if let words = distrust(entry: directory) { return words }
        }
        return distrust(entry: "/")
    }

    private func distrust(entry path: String) -> String? {
        guard let status = host.status(path) else { return nil }
        let users = [0, host.userID] + [user].compactMap { $0 }
        guard users.contains(status.owner) else {
            return "'\(path)' belongs to uid \(status.owner), and nexusd runs as root; chown it to root"
        }
        // In a directory with the sticky bit nobody removes or renames what is another's.
        if status.kind == .directory, status.mode & 0o1000 != 0 { return nil }
        if status.mode & 0o002 != 0 { return "everybody may write '\(path)', and nexusd runs as root; chmod o-w it" }
        let groups = [0, host.groupID] + [group].compactMap { $0 }
        if status.mode & 0o020 != 0, !groups.contains(status.group) {
            return
                "group \(status.group) may write '\(path)', and nexusd runs as root; chmod g-w it, or chgrp it to root"
        }
        return nil
    }
}
