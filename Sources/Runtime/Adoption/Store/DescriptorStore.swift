import SupervisorCore
import System

/// systemd's store of descriptors for this unit (FileDescriptorStoreMax=, sd_pid_notify_with_fds(3)): what is in it
/// outlives nexusd and comes back to the next one by exec. Two words, one message each, never waited for.
final class DescriptorStore {
    private let kernel: any Kernel
    private let socket: OwnedFD
    private let address: SocketAddress
    /// How many it takes: systemd drops what is above that without a word to us.
    let limit: Int
    /// How many are in it, as far as we know.
    private(set) var count = 0
    /// Names that are to go, for which there was no room in the socket.
    private var leaving: [String] = []

    /// Nil without one: who starts nexusd says by FDSTORE how many it keeps (systemd 254 does by itself, the unit for those
    /// before).
    init?(_ kernel: any Kernel, variable: (String) -> String?) throws(Errno) {
        guard let limit = variable("FDSTORE").flatMap({ Int($0) }), limit > 0, let name = variable("NOTIFY_SOCKET"),
            let address = SocketAddress(notifySocket: name)
        else { return nil }
        self.kernel = kernel
        socket = try kernel.makeSocket(.unix, .datagram)
        self.address = address
        self.limit = limit
    }

    /// What came back is in it still.
    func recall(_ descriptors: Int) { count += descriptors }

    /// Room for this many more.
    func hasRoom(for descriptors: Int) -> Bool { count + descriptors <= limit }

    /// Keeps these under a name, also when what they belong to has ended (FDPOLL=0). False when they could not be sent now.
    func keep(_ name: StoredName, _ descriptors: [Int32]) -> Bool {
        guard hasRoom(for: descriptors.count),
            send("FDSTORE=1\nFDPOLL=0\nFDNAME=\(name.text)", passing: descriptors)
        else { return false }
        count += descriptors.count
        return true
    }

    /// All of this name go; `descriptors` is how many they were.
    func drop(_ name: String, of descriptors: Int) {
        count = max(0, count - descriptors)
        leaving.append(name)
        goOn()
    }

    /// Names that systemd was not told of yet that they go.
    var untold: [String] { leaving }

    /// Something is still to be said.
    var isBehind: Bool { !leaving.isEmpty }

    /// Says what there was no room for.
    func goOn() {
        while let name = leaving.first {
            guard send("FDSTOREREMOVE=1\nFDNAME=\(name)", passing: []) else { return }
            leaving.removeFirst()
        }
    }

    private func send(_ words: String, passing descriptors: [Int32]) -> Bool {
        let bytes = Array(words.utf8)
        let sent = bytes.withUnsafeBytes { try? kernel.send(socket, $0, passing: descriptors, to: address) }
        return sent == bytes.count
    }
}
