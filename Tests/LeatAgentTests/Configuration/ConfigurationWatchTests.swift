import Glibc
import LeatCore
import LeatTesting
import Testing

@testable import LeatAgent

struct ConfigurationWatchTests {
    @Test
    func aSettledChangeIsNoticedOnce() throws {
        try withTemporaryFolder { folder in
            let time = ManualTime()
            let loop = try EventLoop(time: time)
            let path = try folder.write("a.conf", "one")
            var changes = 0
            let watch = ConfigurationWatch([path], interval: .seconds(1), disk: PosixFileSystem(), loop: loop) {
                changes += 1
            }
            func pass(_ seconds: Int) {
                for _ in 0..<seconds {
                    time.advance(by: .seconds(1))
                    loop.turn(waitsAtMost: .zero)
                }
            }
            pass(3)
            #expect(changes == 0)
            try folder.write("a.conf", "two!")
            pass(1)
            #expect(changes == 0, "it may still be being written")
            pass(3)
            #expect(changes == 1)
            unlink(path)
            pass(3)
            #expect(changes == 1, "a file that is gone may come back")
            // As the kubelet swaps the files of a ConfigMap.
            try folder.write("data/b.conf", "three")
            symlink(folder.path("data/b.conf"), path)
            pass(3)
            #expect(changes == 2)
            watch.stop()
            try folder.write("data/b.conf", "four!!")
            pass(3)
            #expect(changes == 2)
        }
    }
}
