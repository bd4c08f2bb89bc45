import CNexus
import Glibc

/// A thread that nobody waits for: it ends with the process. For a writer that may hang in a disk, so that what hangs is
/// never the thread that has to notice.
public enum NativeThread {
    /// pthread_create(3), detached; the name (15 bytes count) is what `ps -L` and /proc show.
    public static func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws(Errno) {
        let box = Unmanaged.passRetained(Body(name: name, run: body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { raw in
                guard let raw else { return nil }
                let body = Unmanaged<Body>.fromOpaque(raw).takeRetainedValue()
                pthread_setname_np(pthread_self(), body.name)
                body.run()
                return nil
            }, box.toOpaque())
        if result != 0 {
            box.release()
            throw Errno(rawValue: result)
        }
        pthread_detach(thread)
    }

    private final class Body {
        let name: String
        let run: @Sendable () -> Void

        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = String(decoding: name.utf8.prefix(15), as: UTF8.self)
            self.run = run
        }
    }
}
