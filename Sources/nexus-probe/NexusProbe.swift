import Glibc
import Wire

/// Asks HTTP servers of this machine for nexusd, which started it with the bus on fds 3 and 4. It holds no secret, knows
/// no rule and keeps nothing: a question comes, one GET goes out, the status line or the failure is the answer.
@main
struct NexusProbe {
    static func main() {
        // A nexusd that is gone shows in the failing write.
        signal(SIGPIPE, SIG_IGN)
        guard fcntl(3, F_GETFD) >= 0, fcntl(4, F_GETFD) >= 0 else {
            complain("nexus-probe speaks the bus on file descriptors 3 and 4: it is started by nexusd")
            exit(78)
        }
        guard let transfers = Transfers() else {
            complain("libcurl cannot start: memory is out")
            exit(1)
        }
        var link = ProbeLink(transfers: transfers)
        exit(link.run())
    }

    /// A line for the log.
    static func complain(_ words: String) {
        let line = words + "\n"
        _ = line.utf8.withContiguousStorageIfAvailable { write(2, $0.baseAddress, $0.count) }
    }
}
