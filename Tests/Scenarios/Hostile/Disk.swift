import Foundation

/// A small ext4 of a scenario's own on a loop device, that can stand still and break as a real one does.
final class Disk {
    private let place: String
    private var thaws: Running?
    /// Held by the test while the disk stands still.
    private var holds: Int32 = -1

    /// Mounted at `place`; nil, and a word, where that is not allowed.
    init?(at place: String) throws {
        self.place = place
        let image = place + ".image"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        guard FileManager.default.createFile(atPath: image, contents: nil), truncate(image, 16 << 20) == 0 else {
            throw Trouble("\(image): errno \(errno)")
        }
        for words in [["/sbin/mkfs.ext4", "-q", "-F", image], ["/bin/mount", "-o", "loop", image, place]] {
            let answer = try? run(words[0], Array(words.dropFirst()))
            guard answer?.status == 0 else {
                print("SKIPPED: a disk needs ext4, a loop device and root: \(answer?.errors ?? words[0])")
                return nil
            }
        }
        // A state directory is its owner's alone.
        chmod(place, 0o700)
    }

    deinit {
        if thaws != nil { try? thaw() }
        _ = try? run("/bin/umount", ["-l", place])
    }

    /// Every write waits from now on, uninterruptibly. Whatever becomes of this test, it is over with it.
    func freeze() throws {
        let fifo = place + ".frozen"
        guard mkfifo(fifo, 0o600) == 0 else { throw Trouble("mkfifo \(fifo): errno \(errno)") }
        holds = open(fifo, O_RDWR | O_CLOEXEC)
        thaws = try Running(
            "/bin/sh", ["-c", "cat '\(fifo)'; exec fsfreeze -u '\(place)'"],
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"])
        let answer = try run("/sbin/fsfreeze", ["-f", place])
        guard answer.status == 0 else { throw Trouble("fsfreeze: \(answer.errors)") }
    }

    /// Goes on.
    func thaw() throws {
        guard let thaws else { return }
        close(holds)
        let answer = try thaws.wait(.seconds(20))
        self.thaws = nil
        guard answer.status == 0 else { throw Trouble("thaw: \(answer)") }
    }

    /// The journal is given up, as after an error of the disk: read-only, with all that is open for writing.
    func fail() throws {
        let answer = try run("/bin/mount", ["-o", "remount,abort", place])
        guard answer.status == 0 else { throw Trouble("abort: \(answer.errors)") }
    }
}
