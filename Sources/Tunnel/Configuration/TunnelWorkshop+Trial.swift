import Glibc

/// What a change on trial leads back to: as it was in force, whatever becomes of the owner's files meanwhile.
extension TunnelWorkshop {
    private var formerConfiguration: String { directory + "/config.former.yml" }

    /// Keeps what is in force, with its secret, beside what comes to be so.
    public func keepFormer() throws(TunnelError) {
        guard let launch = LaunchFile.last(in: directory),
            let text = try? String(contentsOfFile: configuration, encoding: .utf8)
        else { return }
        try ConfigurationFile.write(text, to: formerConfiguration)
        try launch.writeFormer(in: directory)
    }

    /// Puts it in force again; false: nothing is kept, or it is of another mode, or its program does not answer any more.
    public func putBackFormer(_ mode: TunnelMode) async -> Bool {
        guard let former = LaunchFile.former(in: directory), former.mode == mode,
            (try? await CloudflaredProgram.find(among: [former.program])) != nil
        else { return false }
        // Before what names it. Where it is gone, one who crashed behind this has put it there.
        rename(formerConfiguration, configuration)
        return LaunchFile.putBackFormer(in: directory)
    }

    /// The trial is over, and something else is in force, or nothing.
    public func forgetFormer() {
        guard LaunchFile.removeFormer(in: directory) else { return }
        unlink(formerConfiguration)
        KeptSecret.sweep(directory, but: LaunchFile.last(in: directory)?.kept)
    }
}
