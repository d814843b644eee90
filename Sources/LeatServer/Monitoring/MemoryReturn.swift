internal import LeatCore
internal import ServiceLifecycle

/// Gives free memory back to the system.
///
/// Blocks are encoded and queries run on many threads, whose freed memory malloc keeps in pieces, each thread for itself:
/// after 9 GiB of ingest 155 of 520 MiB were such pieces.
struct MemoryReturn: Service {
    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                // Ends early, with an error, when the server stops; then nothing is worth giving back any more.
                try? await Task.sleep(for: .seconds(ServerLimits.memoryReturnSeconds))
                await Blocking.run {
                    if let spare = ProcessMemory.spareByteCount, spare > ServerLimits.spareMemoryByteCountMax {
                        ProcessMemory.giveBack()
                    }
                }
            }
        }
    }
}
