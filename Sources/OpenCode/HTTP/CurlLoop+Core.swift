import CCurl
import Glibc
import Synchronization

extension CurlLoop {
    /// The thread's side. It keeps itself alive until it was told to stop.
    ///
    /// @unchecked Sendable: the multi handle and the transfers belong to the thread; `curl_multi_wakeup` alone is called
    /// from others, which curl_multi_wakeup(3) allows.
    final class Core: @unchecked Sendable {
        enum Command: Sendable {
            case start(UInt64, CurlTransfer)
            case cancel(UInt64)
            case stop
        }

        private let multi: UnsafeMutableRawPointer
        private let commands = Mutex<[Command]>([])
        private let numbers = Atomic<UInt64>(0)
        private var transfers: [UInt64: CurlTransfer] = [:]

        init(multi: UnsafeMutableRawPointer) { self.multi = multi }

        deinit { curl_multi_cleanup(multi) }

        func nextNumber() -> UInt64 { numbers.add(1, ordering: .relaxed).newValue }

        func post(_ command: Command) {
            commands.withLock { $0.append(command) }
            curl_multi_wakeup(multi)
        }

        func startThread() throws(AgentFailure) {
            var thread = pthread_t()
            let retained = Unmanaged.passRetained(self).toOpaque()
            let code = pthread_create(
                &thread, nil,
                { context in
                    if let context { Unmanaged<Core>.fromOpaque(context).takeRetainedValue().run() }
                    return nil
                }, retained)
            guard code == 0 else {
                Unmanaged<Core>.fromOpaque(retained).release()
                throw AgentFailure(.failed, "cannot start the thread of libcurl: \(String(cString: strerror(code)))")
            }
            pthread_detach(thread)
        }

        private func run() {
            while obey() {
                var running: Int32 = 0
                curl_multi_perform(multi, &running)
                collect()
                giveUpTheSilent()
                // Bounded by libcurl's own timers; a command or a byte ends it at once.
                curl_multi_poll(multi, nil, 0, Int32(pollTime), nil)
            }
            for number in transfers.keys { end(number, .cancelled) }
        }

        /// False when told to stop.
        private func obey() -> Bool {
            let next = commands.withLock { commands in
                defer { commands = [] }
                return commands
            }
            for command in next {
                switch command {
                case .start(let number, let transfer):
                    transfers[number] = transfer
                    if curl_multi_add_handle(multi, transfer.easy) != CURLM_OK { end(number, .broken("memory is out")) }
                case .cancel(let number): end(number, .cancelled)
                case .stop: return false
                }
            }
            return true
        }

        private func collect() {
            var left: Int32 = 0
            while let message = curl_multi_info_read(multi, &left) {
                guard message.pointee.msg == CURLMSG_DONE else { continue }
                let easy = message.pointee.easy_handle
                let code = message.pointee.data.result
                guard let number = transfers.first(where: { $0.value.easy == easy })?.key else { continue }
                remove(number)?.finished(code)
            }
        }

        private func giveUpTheSilent() {
            let now = ContinuousClock.now
            for (number, transfer) in transfers {
                if let deadline = transfer.deadline, deadline <= now { end(number, .timedOut) }
            }
        }

        private func end(_ number: UInt64, _ failure: HTTPFailure) { remove(number)?.finished(failure) }

        private func remove(_ number: UInt64) -> CurlTransfer? {
            guard let transfer = transfers.removeValue(forKey: number) else { return nil }
            curl_multi_remove_handle(multi, transfer.easy)
            return transfer
        }

        /// Milliseconds until the next silence deadline, at most an hour.
        private var pollTime: Int {
            let now = ContinuousClock.now
            let next = transfers.values.compactMap(\.deadline).min()
            guard let next else { return 3_600_000 }
            return min(max(0, (next - now).wholeMilliseconds + 1), 3_600_000)
        }
    }
}
