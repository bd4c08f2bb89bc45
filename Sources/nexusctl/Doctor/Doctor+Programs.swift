import ControlClient

extension Doctor {
    /// The programs that the default tree runs and Nexus does not bring.
    func programs() -> [Finding] { agent() + tunnel() + updates() }
}
