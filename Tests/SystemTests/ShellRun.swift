import SupervisorCore
import System
import TestSupport

/// `/bin/sh -c script` with stdin from /dev/null and stdout read to its end.
func shell(_ script: String, _ adjust: (inout SpawnImage) -> Void = { _ in }) throws -> (output: String, exit: Exit?) {
    let kernel = LiveKernel()
    let null = try kernel.open("/dev/null", .readWrite, mode: 0)
    let pipe = try kernel.makePipe(blocking: .write)
    let read = pipe.read
    let write = pipe.write
    var image = SpawnImage(
        executable: "/bin/sh", arguments: ["sh", "-c", script], environment: ["PATH=/usr/bin:/bin"])
    image.descriptors = [
        DescriptorMapping(source: null.raw, target: 0), DescriptorMapping(source: write.raw, target: 1),
        DescriptorMapping(source: null.raw, target: 2),
    ]
    adjust(&image)
    let spawned = try kernel.spawn(image)
    _ = consume write
    let output = String(decoding: try readToEnd(read), as: UTF8.self)
    let exit = try waitForExit(spawned)
    if let failure = kernel.failure(in: spawned.report) { throw failure }
    return (output, exit)
}

/// Where and why this image cannot be started.
func failure(of image: SpawnImage) -> SpawnFailure? {
    do {
        let kernel = LiveKernel()
        let spawned = try kernel.spawn(image)
        _ = try? waitForExit(spawned)
        return kernel.failure(in: spawned.report)
    } catch {
        return error
    }
}

let isRoot = LiveKernel().userID() == 0
