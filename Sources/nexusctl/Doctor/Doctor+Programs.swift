import ControlClient
import Glibc
import System

extension Doctor {
    /// The programs that the default tree runs and Nexus does not bring.
    func programs() -> [Finding] { agent() + tunnel() }

    /// Of a tree that runs only where one of its children is opencode, or stands for it.
    private func agent() -> [Finding] {
        let remedy = "install opencode (https://opencode.ai/docs), then `nexusctl reload`"
        if let report {
            let child = report.children.first {
                $0.name == "opencode" || $0.executable?.hasSuffix("/opencode") ?? false
            }
            guard let child else { return [] }
            guard child.executable?.hasSuffix("/echo-agent") ?? false else {
                return [Finding(.ok, "opencode", "the tree runs \(child.executable ?? "it")")]
            }
            return [
                Finding(.warn, "opencode", "not found: the built-in echo-agent answers, which is no AI", remedy: remedy)
            ]
        }
        if let path = Self.find("opencode") { return [Finding(.ok, "opencode", path)] }
        return [Finding(.warn, "opencode", "not in PATH", remedy: remedy)]
    }

    private static func find(_ program: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        return path.split(separator: ":").map { $0 + "/" + program }.first { access($0, X_OK) == 0 }
    }
}
