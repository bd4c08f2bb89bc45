import System

extension Kernel {
    /// Of a file and its `.new`, by which it is replaced, the one in whose place a directory is.
    func displaced(_ path: String) -> String? {
        [path, path + ".new"].first { (try? status($0, followingLinks: false))?.kind == .directory }
    }
}

extension Errno {
    /// What to do about a file that nexusd cannot read or write.
    var remedy: String {
        switch self {
        case .noEntry, .notDirectory: "make it, or correct the path"
        case .isDirectory: "a directory is in its place: move it away"
        case .invalid: "it is no regular file: move it away"
        case .symbolicLink: "it is a symbolic link: remove it"
        case .noAccess, .notPermitted: "give it to nexusd's user, or move it away"
        case .tooLarge: "it is longer than such a file can be: move it away"
        case .readOnly: "mount its file system writable"
        case .noSpace: "make room on its file system"
        case .tooManyOpen, .tooManyOpenInSystem: "raise the limit of open files"
        case _: "see whether it can be read and written"
        }
    }
}
