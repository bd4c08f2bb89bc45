/// The version of these programs, as `--version` and `status` show it.
public enum NexusVersion {
    /// MAJOR.MINOR.PATCH.
    public static let current = "0.1.0"
}
