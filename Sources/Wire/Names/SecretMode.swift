/// Who may use a file that holds a secret: the one rule of the file's check and of whoever reads it later.
public enum SecretMode {
    /// What is wrong with its mode, and what to do; nil: nothing. That a group may read it, and whose it is, its owner chose.
    public static func complaint(_ path: String, mode: UInt32) -> String? {
        mode & 0o006 == 0 ? nil : "everybody may read or write '\(path)': chmod 0600 it"
    }
}
